package io.github.loragraph.check;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.training.CausalLanguageModelLoss;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.Loss;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPInputStream;

/** A fixture: a tiny exported model and the numbers that PyTorch has for it. */
public final class Oracle {
  /** The fixtures that have numbers. */
  public static final List<String> FIXTURES =
      List.of(
          "tiny-roberta",
          "tiny-roberta-opset17",
          "tiny-roberta-noconstfold",
          "tiny-roberta-training-export",
          "tiny-roberta-dropout",
          "tiny-bert");

  /** Language models, packed; the README beside them says what they are. */
  public static final List<String> LANGUAGE_MODELS = List.of("gpt2-lm", "llama-lm");

  /** Models that answer with embeddings, packed; the README beside them says what they are. */
  public static final List<String> EMBEDDING_MODELS = List.of("sbert-cosine");

  private final String fixture;
  private final JsonNode values;

  private Oracle(String fixture, JsonNode values) {
    this.fixture = fixture;
    this.values = values;
  }

  public static Oracle of(String fixture) {
    if (isPacked(fixture)) {
      try (InputStream in = packed(fixture, "oracle.json")) {
        return new Oracle(fixture, new ObjectMapper().readTree(in));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    String file = fixture.equals("tiny-bert") ? "bert-oracle.json" : "roberta-oracle.json";
    try (InputStream in = Fixtures.open("/fixtures/" + file)) {
      return new Oracle(fixture, new ObjectMapper().readTree(in));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** With other numbers for the same model. */
  public Oracle with(JsonNode others) {
    return new Oracle(fixture, others);
  }

  private static boolean isPacked(String fixture) {
    return LANGUAGE_MODELS.contains(fixture) || EMBEDDING_MODELS.contains(fixture);
  }

  private static InputStream packed(String fixture, String file) throws IOException {
    String folder = LANGUAGE_MODELS.contains(fixture) ? "language-models" : "embedding-models";
    return new GZIPInputStream(Fixtures.open("/%s/%s/%s.gz".formatted(folder, fixture, file)));
  }

  public Path modelFile() {
    return Fixtures.file(fixture + "/model.onnx");
  }

  public OnnxModel model() {
    if (!isPacked(fixture)) {
      return OnnxFile.read(modelFile());
    }
    try {
      Path file = Files.createTempFile("packed-model", ".onnx");
      try {
        return OnnxFile.read(unpackModel(file));
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a packed model to a file. */
  public Path unpackModel(Path file) throws IOException {
    try (InputStream in = packed(fixture, "model.onnx")) {
      return Files.write(file, in.readAllBytes());
    }
  }

  /** What PyTorch's numbers are of. */
  public Loss loss() {
    return get("/task").asText().equals("causal-lm")
        ? new CausalLanguageModelLoss()
        : CrossEntropyLoss.plain();
  }

  /** Weights that are (in, out) in PyTorch, too: those of GPT-2's Conv1D. */
  public Set<String> untransposed() {
    Set<String> names = new HashSet<>();
    get("/lora/conv1d").forEach(path -> names.add(path.asText() + ".weight"));
    return names;
  }

  public JsonNode get(String key) {
    return values.at(key);
  }

  public double number(String pointer) {
    return values.at(pointer).asDouble();
  }

  /** All numbers below a place, in order. */
  public double[] numbers(String pointer) {
    return flat(values.at(pointer));
  }

  public static double[] flat(JsonNode node) {
    List<Double> out = new ArrayList<>();
    collect(node, out);
    return out.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static void collect(JsonNode node, List<Double> out) {
    if (node.isArray()) {
      node.forEach(child -> collect(child, out));
    } else {
      out.add(node.asDouble());
    }
  }

  /** Named tensors below a place, flattened. */
  public Map<String, double[]> tensors(String pointer) {
    Map<String, double[]> tensors = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : values.at(pointer).properties()) {
      tensors.put(field.getKey(), flat(field.getValue()));
    }
    return tensors;
  }

  /** The adapters of {@code lora_params}, as initializers. */
  public List<Tensor> adapters() {
    List<Tensor> adapters = new ArrayList<>();
    for (Map.Entry<String, JsonNode> field : values.at("/lora_params").properties()) {
      JsonNode rows = field.getValue();
      double[] numbers = flat(rows);
      float[] floats = new float[numbers.length];
      for (int i = 0; i < floats.length; i++) {
        floats[i] = (float) numbers[i];
      }
      adapters.add(
          Tensor.ofFloats(field.getKey(), floats, rows.size(), numbers.length / rows.size()));
    }
    return adapters;
  }

  /** The batch, without labels. */
  public List<HostTensor> inputs() {
    return inputs(values.at("/inputs"));
  }

  public static List<HostTensor> inputs(JsonNode inputs) {
    List<HostTensor> tensors = new ArrayList<>();
    for (Map.Entry<String, JsonNode> field : inputs.properties()) {
      JsonNode rows = field.getValue();
      tensors.add(longs(field.getKey(), flat(rows), rows.size(), rows.get(0).size()));
    }
    return tensors;
  }

  public HostTensor labels() {
    double[] labels = numbers("/labels");
    JsonNode rows = values.at("/labels");
    if (rows.get(0).isArray()) {
      return longs("labels", labels, rows.size(), rows.get(0).size());
    }
    return longs("labels", labels, labels.length);
  }

  private static HostTensor longs(String name, double[] numbers, long... shape) {
    ByteBuffer data = ByteBuffer.allocateDirect(numbers.length * 8).order(ByteOrder.nativeOrder());
    for (double number : numbers) {
      data.putLong((long) number);
    }
    return new HostTensor(name, ElementType.INT64, shape, data.flip());
  }
}
