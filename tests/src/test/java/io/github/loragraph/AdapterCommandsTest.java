package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.adapter.PeftAdapter;
import io.github.loragraph.adapter.PeftExport;
import io.github.loragraph.adapter.PeftImport;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.lora.InitializerUntying;
import io.github.loragraph.lora.LoraBias;
import io.github.loragraph.lora.LoraInit;
import io.github.loragraph.lora.LoraMerger;
import io.github.loragraph.lora.LoraVariant;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code adapter info}, {@code diff}, {@code combine} and {@code resize}, and the front door. */
class AdapterCommandsTest {
  private static final String[] TYPES = {
    "linear",
    "cat",
    "svd",
    "ties",
    "ties-svd",
    "dare-linear",
    "dare_ties",
    "dare-linear-svd",
    "dare_ties_svd",
    "magnitude-prune",
    "magnitude-prune-svd"
  };

  private static final InferenceArguments ONE_THREAD =
      InferenceArguments.builder().device(Device.CPU).threads(1).build();

  @TempDir Path folder;

  /** The adapter of a model as a folder of PEFT. */
  private Path adapter(String name, OnnxModel injected) {
    return write(name, PeftExport.of(injected));
  }

  private Path write(String name, PeftAdapter adapter) {
    Path target = folder.resolve(name);
    try (StagedFiles files = new StagedFiles(target, false)) {
      adapter.stage(target, files);
      files.commit();
    }
    return target;
  }

  /** The model with adapters that a real run trained, on data of its own. */
  private static OnnxModel trained(Model base, int rank, double alpha, long seed) {
    Random random = new Random(seed);
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      int[] ids = random.ints(3 + random.nextInt(5), 5, 60).toArray();
      examples.add(Example.ofTokens(ids).withLabel(ids[0] % 2 == seed % 2 ? "pos" : "neg"));
    }
    return base.inject(
            LoraConfig.builder()
                .targetModules("query|value")
                .rank(rank)
                .alpha(alpha)
                .seed(seed)
                .build())
        .train(
            Dataset.of(examples),
            TrainingArguments.builder()
                .engine(TrainingArguments.Engine.GRAPH)
                .device(Device.CPU)
                .threads(1)
                .maxSteps(12)
                .trainBatchSize(4)
                .learningRate(2e-2)
                .build())
        .model()
        .onnx();
  }

  /** Two adapters of real runs, combined in every way, and what the model then answers. */
  @Test
  void combinedAdaptersAnswerAsTheModelWithTheWeightedSum() throws Exception {
    Path files = folder.resolve("base");
    DataCommandsTest.makeModel(files);
    Model base = Model.open(files).withNotes(line -> {});
    OnnxModel one = trained(base, 3, 6, 1);
    OnnxModel two = trained(base, 3, 3, 2);
    Path first = adapter("first", one);
    Path second = adapter("second", two);
    OnnxModel expected = weightedSum(base.onnx(), 0.7, one, 0.3, two);
    List<Example> examples = List.of(Example.ofTokens(5, 6, 7), Example.ofTokens(8, 9));
    List<Prediction> right = predict(base.withOnnx(expected), examples);
    for (String type : TYPES) {
      Path out = folder.resolve(type);
      List<Object> words =
          new ArrayList<>(List.of("adapter", "combine", first, second, "--weights", 0.7, 0.3));
      words.addAll(List.of("--combination", type, "--head-of", "mean", "-o", out));
      if (type.equals("svd")) {
        words.addAll(List.of("--rank", 6));
      } else if (!List.of("linear", "cat").contains(type)) {
        words.addAll(List.of("--density", 0.6));
      }
      JsonNode json = Cli.json(words.toArray());
      assertEquals(4, json.path("layers").asInt(), type);
      assertEquals(out.toString(), json.path("output").asText());
      OnnxModel combined = PeftImport.into(base.onnx(), PeftAdapter.read(out));
      List<Prediction> actual = predict(base.withOnnx(combined), examples);
      double apart = 0;
      for (int i = 0; i < right.size(); i++) {
        String label = right.get(i).label();
        apart =
            Math.max(
                apart,
                Math.abs(right.get(i).probability(label) - actual.get(i).probability(label)));
      }
      boolean exact = type.equals("cat") || type.equals("svd");
      assertTrue(exact ? apart < 1e-6 : apart > 1e-6, type + " is apart by " + apart);
    }
    assertEquals(0, Cli.json("adapter", "diff", first, first).path("norm").asDouble());
    JsonNode diff = Cli.json("adapter", "diff", folder.resolve("cat"), folder.resolve("svd"));
    assertTrue(diff.path("largest").asDouble() < 1e-6, diff.toString());
  }

  private static List<Prediction> predict(Model model, List<Example> examples) {
    try (Predictor predictor = model.predictor(ONE_THREAD)) {
      return predictor.predict(examples);
    }
  }

  /** W + 0.7 (W1 - W) + 0.3 (W2 - W) of every weight, out of the models that were merged. */
  private static OnnxModel weightedSum(
      OnnxModel base, double weight1, OnnxModel one, double weight2, OnnxModel two) {
    OnnxModel first = LoraMerger.merge(one);
    OnnxModel second = LoraMerger.merge(two);
    Map<String, Tensor> values = new HashMap<>();
    for (Tensor tensor : base.graph().initializers().values()) {
      if (tensor.elementType() != ElementType.FLOAT || tensor.rank() == 0) {
        continue;
      }
      float[] w = tensor.toFloats();
      Tensor ofFirst = first.graph().initializer(tensor.name());
      Tensor ofSecond = second.graph().initializer(tensor.name());
      float[] w1 = ofFirst.toFloats();
      float[] w2 = ofSecond.toFloats();
      for (int i = 0; i < w.length; i++) {
        w[i] = (float) (w[i] + weight1 * (w1[i] - w[i]) + weight2 * (w2[i] - w[i]));
      }
      values.put(tensor.name(), Tensor.ofFloats(tensor.name(), w, tensor.dims()));
    }
    return InitializerUntying.withValues(base, values);
  }

  private OnnxModel tiny(int rank, double alpha) {
    return AdaptedModels.trained(AdaptedModels.tiny(), "query|value", rank, alpha);
  }

  @Test
  void infoAndItsPicture() throws Exception {
    Path adapter = adapter("some <&\">", tiny(3, 6));
    Path picture = folder.resolve("p.svg");
    JsonNode json = Cli.json("adapter", "info", adapter, "--picture", picture);
    JsonNode layer = json.path("layers").get(0);
    assertEquals("roberta.encoder.layer.0.attention.self.query", layer.path("path").asText());
    assertEquals(3, layer.path("rank").asInt());
    assertEquals(2, layer.path("scale").asDouble());
    assertEquals(3, layer.path("singularValues").size());
    assertTrue(json.path("otherParameters").asLong() > 0);
    double squares = 0;
    for (JsonNode value : layer.path("singularValues")) {
      squares += value.asDouble() * value.asDouble();
    }
    assertEquals(Math.sqrt(squares), layer.path("norm").asDouble(), 1e-9);
    String svg = Files.readString(picture);
    DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
    assertTrue(svg.contains("some &lt;&amp;&quot;&gt;"), svg);
    assertTrue(svg.contains("prefers-color-scheme: dark"), svg);
    assertFalse(svg.replace("http://www.w3.org/2000/svg", "").contains("http"), svg);
    assertRefused("exists already", "adapter", "info", adapter, "--picture", picture);
    Cli.json("adapter", "info", adapter, "--picture", picture, "--force");
    Cli table = Cli.run("adapter", "info", adapter);
    assertTrue(table.out().contains("roberta.encoder.layer.1.attention.self.value"), table.out());
    assertTrue(table.out().contains("trained in full:"), table.out());
    Path run = Files.createDirectories(folder.resolve("run"));
    Files.move(adapter, run.resolve("adapter"));
    Files.writeString(run.resolve("config.yaml"), "seed: 0\n");
    assertEquals(json.path("layers"), Cli.json("adapter", "info", run).path("layers"));
  }

  @Test
  void anAdapterThatIsNotTrainedHasNoRank() {
    OnnxModel fresh =
        Model.open(io.github.loragraph.fixtures.Fixtures.file("tiny-roberta"))
            .withNotes(line -> {})
            .inject(LoraConfig.builder().targetModules("query").rank(2).build())
            .onnx();
    JsonNode layer = Cli.json("adapter", "info", adapter("fresh", fresh)).path("layers").get(0);
    assertEquals(0, layer.path("norm").asDouble());
    assertEquals(0, layer.path("usedRank").asInt());
    Cli table =
        Cli.run("adapter", "info", folder.resolve("fresh"), "--picture", folder.resolve("f.svg"));
    assertEquals(0, table.exitCode(), table.err());
    assertFalse(table.out().contains("NaN"), table.out());
    Cli diff = Cli.run("adapter", "diff", folder.resolve("fresh"), adapter("t", tiny(2, 2)));
    assertEquals(0, diff.exitCode(), diff.err());
    assertTrue(diff.out().contains("second"), diff.out());
  }

  @Test
  void resizedAdaptersAreImported() throws Exception {
    Path adapter = adapter("four", tiny(4, 8));
    JsonNode half = Cli.json("adapter", "resize", adapter, "--rank", 2, "-o", folder.resolve("2"));
    assertTrue(half.path("energy").asDouble() < 1, half.toString());
    JsonNode most =
        Cli.json("adapter", "resize", adapter, "--energy", 0.9, "-o", folder.resolve("e"));
    assertTrue(most.path("energy").asDouble() >= 0.9, most.toString());
    for (String name : List.of("2", "e")) {
      PeftAdapter resized = PeftAdapter.read(folder.resolve(name));
      OnnxModel model = PeftImport.into(AdaptedModels.tiny(), resized);
      assertEquals(resized.layers().size(), PeftExport.of(model).layers().size());
    }
    Files.writeString(adapter.resolve("config.json"), "{\"a\": 1}");
    Files.writeString(adapter.resolve("reading.yaml"), "task: classification");
    Adapter four = Adapter.open(adapter);
    Adapter same = four.resize(4).adapter();
    same.save(folder.resolve("same"), false);
    assertArrayEquals(
        Files.readAllBytes(adapter.resolve("adapter_config.json")),
        Files.readAllBytes(folder.resolve("same").resolve("adapter_config.json")));
    assertTrue(four.diff(Adapter.open(folder.resolve("same"))).isEmpty());
    for (String name : List.of("config.json", "reading.yaml")) {
      assertEquals(
          Files.readString(adapter.resolve(name)),
          Files.readString(folder.resolve("same").resolve(name)));
    }
    Cli higher = Cli.run("adapter", "resize", adapter, "--rank", 6, "-o", folder.resolve("6"));
    assertEquals(0, higher.exitCode(), higher.err());
    assertTrue(higher.err().contains("training does not change it"), higher.err());
    assertTrue(four.diff(Adapter.open(folder.resolve("6"))).isEmpty());
    // An adapter may be written over itself.
    Cli.json("adapter", "resize", adapter, "--rank", 2, "-o", adapter, "--force");
    assertTrue(Adapter.open(adapter).diff(Adapter.open(folder.resolve("2"))).isEmpty());
  }

  @Test
  void doraKeepsItsMagnitudesAndIsNotCombined() {
    LoraVariant dora = new LoraVariant(false, true, LoraInit.NORMAL, LoraBias.NONE);
    OnnxModel model = AdaptedModels.trained(AdaptedModels.tiny(), "query", 4, 4, dora);
    Path adapter = adapter("dora", model);
    Cli info = Cli.run("adapter", "info", adapter);
    assertTrue(info.err().contains("DoRA"), info.err());
    Cli.json("adapter", "resize", adapter, "--rank", 2, "-o", folder.resolve("d2"));
    PeftImport.into(AdaptedModels.tiny(), PeftAdapter.read(folder.resolve("d2")));
    assertRefused(
        "dora: it is a DoRA", "adapter", "combine", adapter, adapter, "-o", folder.resolve("x"));
  }

  @Test
  void whatCannotBeDoneIsOneLine() throws Exception {
    Path three = adapter("three", tiny(3, 3));
    Path two = adapter("two", tiny(2, 2));
    Path out = folder.resolve("out");
    assertRefused(
        "2 adapters and 1 weights", "adapter", "combine", two, two, "--weights", 1, "-o", out);
    assertRefused(
        "needs adapters of one rank",
        "adapter",
        "combine",
        two,
        three,
        "--combination",
        "linear",
        "-o",
        out);
    assertRefused("say whose head is taken", "adapter", "combine", two, three, "-o", out);
    assertRefused(
        "none of the adapters that are combined",
        "adapter",
        "combine",
        two,
        three,
        "--head-of",
        "four",
        "-o",
        out);
    assertRefused(
        "needs a density", "adapter", "combine", two, two, "--combination", "ties", "-o", out);
    assertRefused("at least 1", "adapter", "resize", two, "--rank", 0, "-o", out);
    assertRefused("is more than", "adapter", "resize", two, "--rank", 1000, "-o", out);
    assertRefused("above 0", "adapter", "resize", two, "--energy", 1.5, "-o", out);
    assertRefused("there is no", "adapter", "info", folder.resolve("nowhere"));
    assertRefused("there is no", "adapter", "diff", two, folder.resolve("nowhere"));
    assertRefused(
        "has files of an adapter already", "adapter", "resize", two, "--rank", 1, "-o", three);
    assertRefused("has files of an adapter already", "adapter", "combine", two, two, "-o", three);
    assertFalse(Files.exists(out));
    PeftAdapter read = PeftAdapter.read(two);
    Map<String, Tensor> tensors = new LinkedHashMap<>(read.tensors());
    String key = tensors.keySet().stream().filter(k -> k.contains("lora_B")).findFirst().get();
    Tensor b = tensors.get(key);
    tensors.put(key, Tensor.filled(key, ElementType.FLOAT, Double.NaN, b.dims()));
    Path nan = write("nan", new PeftAdapter(read.config(), tensors));
    assertRefused("NaN", "adapter", "info", nan);
    assertRefused("NaN", "adapter", "diff", two, nan);
    assertRefused("NaN", "adapter", "resize", nan, "--rank", 1, "-o", out);
    assertRefused("nan: its", "adapter", "combine", two, nan, "-o", out);
    assertFalse(Files.exists(out));
    assertEquals(2, Cli.run("adapter", "resize", two, "-o", out).exitCode());
    assertEquals(
        2, Cli.run("adapter", "combine", two, "--combination", "sum", "-o", out).exitCode());
  }

  private static void assertRefused(String words, Object... command) {
    Cli run = Cli.run(command);
    assertEquals(1, run.exitCode(), run.out() + run.err());
    assertTrue(run.err().contains(words), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
  }
}
