package io.github.loragraph.check;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.training.CausalLanguageModelLoss;
import io.github.loragraph.training.CosineSimilarityLoss;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.MultipleNegativesLoss;
import io.github.loragraph.training.SentenceEmbedding;
import io.github.loragraph.training.Towers;
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

  /** Models with adapters as PEFT has them, over one model. */
  public static final List<String> PEFT = List.of("peft/roberta-lora", "peft/roberta-dora");

  /** Language models, packed; the README beside them says what they are. */
  public static final List<String> LANGUAGE_MODELS = List.of("gpt2-lm", "llama-lm");

  /** Models that answer with embeddings, packed; the README beside them says what they are. */
  public static final List<String> EMBEDDING_MODELS = List.of("sbert-cosine");

  /** What cosines are multiplied by in task {@code mnr}. */
  private static final double SCALE = 20;

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
    String file =
        PEFT.contains(fixture)
            ? fixture + "/oracle.json"
            : fixture.equals("tiny-bert") ? "bert-oracle.json" : "roberta-oracle.json";
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
    return Fixtures.file((PEFT.contains(fixture) ? "peft" : fixture) + "/model.onnx");
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
    return switch (get("/task").asText()) {
      case "causal-lm" -> new CausalLanguageModelLoss();
      case "cosine" -> new CosineSimilarityLoss();
      case "mnr" -> new MultipleNegativesLoss(SCALE, false);
      default -> CrossEntropyLoss.plain();
    };
  }

  /** Whether the numbers are of pairs of texts, the second of which are {@code inputs_b}. */
  private boolean isOfPairs() {
    return values.has("inputs_b");
  }

  /**
   * What is trained, out of the model.
   *
   * @param inference asked only where the model does not declare its outputs' shapes
   */
  public OnnxModel trainedForm(OnnxModel model, ShapeInference inference) {
    return isOfPairs() ? Towers.of(answeringForm(model, inference)) : model;
  }

  /**
   * What is evaluated, out of the model.
   *
   * @param inference asked only where the model does not declare its outputs' shapes
   */
  public OnnxModel answeringForm(OnnxModel model, ShapeInference inference) {
    return isOfPairs() ? SentenceEmbedding.of(model, null, null, inference).model() : model;
  }

  /** The name of the output that the logits are: embeddings are an embedding model's. */
  public String output() {
    return isOfPairs() ? "sentence_embedding" : "logits";
  }

  /** The batches that the logits are of, one after the other: both sentences of pairs are one. */
  public List<List<HostTensor>> batches() {
    return isOfPairs() ? List.of(inputs(), inputs(get("/inputs_b"))) : List.of(inputs());
  }

  /** What a step is made of. */
  public List<HostTensor> labelledBatch() {
    List<HostTensor> batch = new ArrayList<>();
    if (isOfPairs()) {
      for (HostTensor input : inputs()) {
        batch.add(named(Towers.ANCHOR, input, input.shape()));
      }
      for (HostTensor input : inputs(get("/inputs_b"))) {
        batch.add(named(Towers.TEXTS, input, input.shape()[0], 1, input.shape()[1]));
      }
    } else {
      batch.addAll(inputs());
    }
    batch.add(labels());
    return batch;
  }

  private static HostTensor named(String before, HostTensor input, long... shape) {
    return new HostTensor(before + input.name(), input.type(), shape, input.data());
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
          rows.get(0).isArray()
              ? Tensor.ofFloats(field.getKey(), floats, rows.size(), numbers.length / rows.size())
              : Tensor.ofFloats(field.getKey(), floats, rows.size()));
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
    switch (get("/task").asText()) {
      case "cosine" -> {
        return floats("labels", labels);
      }
      case "mnr" -> {
        return longs("labels", ids(labels), labels.length, 2);
      }
      default -> {}
    }
    if (rows.get(0).isArray()) {
      return longs("labels", labels, rows.size(), rows.get(0).size());
    }
    return longs("labels", labels, labels.length);
  }

  /**
   * Of each row's texts, which are all different: a label is the place of the anchor's positive.
   */
  private static double[] ids(double[] labels) {
    double[] ids = new double[2 * labels.length];
    for (int row = 0; row < labels.length; row++) {
      ids[2 * row] = labels.length + row;
      ids[2 * row + 1] = labels[row];
    }
    return ids;
  }

  private static HostTensor floats(String name, double[] numbers) {
    ByteBuffer data = ByteBuffer.allocateDirect(numbers.length * 4).order(ByteOrder.nativeOrder());
    for (double number : numbers) {
      data.putFloat((float) number);
    }
    return new HostTensor(name, ElementType.FLOAT, new long[] {numbers.length}, data.flip());
  }

  private static HostTensor longs(String name, double[] numbers, long... shape) {
    ByteBuffer data = ByteBuffer.allocateDirect(numbers.length * 8).order(ByteOrder.nativeOrder());
    for (double number : numbers) {
      data.putLong((long) number);
    }
    return new HostTensor(name, ElementType.INT64, shape, data.flip());
  }
}
