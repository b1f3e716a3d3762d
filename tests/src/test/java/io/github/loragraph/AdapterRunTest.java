package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs leave adapters, and a model with an adapter is the model that the run made. */
@Timeout(300)
class AdapterRunTest {
  private static final String[] TEXTS = {"good film", "the bad", "a good a", "film"};

  @TempDir Path folder;
  private Path model;
  private Path data;

  @BeforeEach
  void begin() throws IOException {
    DataCommandsTest.makeModel(folder.resolve("base"));
    Cli.json("inject", folder.resolve("base"), "--match", "query|value", "--rank", 2);
    model = folder.resolve("base/model.lora.onnx");
    StringBuilder rows = new StringBuilder("text\tlabel\n");
    for (int i = 0; i < 13; i++) {
      rows.append("good film the".substring(0, 4 + i % 9)).append("\tpos\n");
      rows.append("a bad".substring(0, 1 + i % 5)).append("\tneg\n");
    }
    data = Files.writeString(folder.resolve("train.tsv"), rows);
  }

  private Path train(String run, Object... more) {
    Path place = folder.resolve(run);
    List<Object> arguments = new ArrayList<>(List.of("train"));
    if (more.length == 0 || !more[0].equals("--config")) {
      arguments.add(model);
    }
    arguments.addAll(
        List.of("--data", data, "--batch-size", 4, "--epochs", 2, "--lr", "1e-2", "--engine"));
    arguments.addAll(List.of("graph", "--log-every", 1, "-o", place));
    arguments.addAll(Arrays.asList(more));
    Cli.json(arguments.toArray());
    return place;
  }

  private static JsonNode predict(Object... arguments) {
    List<Object> all = new ArrayList<>(List.of("predict"));
    all.addAll(Arrays.asList(arguments));
    all.addAll(Arrays.asList(TEXTS));
    return Cli.json(all.toArray()).get("predictions");
  }

  private static String failure(Object... arguments) {
    Cli run = Cli.run(arguments);
    assertEquals(1, run.exitCode(), run.err());
    List<String> lines = run.err().lines().toList();
    return lines.get(lines.size() - 1);
  }

  @Test
  void aRunHoldsWhatItLearnedAlone() throws IOException {
    Path run = train("run");
    Path whole = train("whole", "--write-model");
    assertFalse(Files.exists(run.resolve("model.onnx")));
    assertTrue(Files.exists(whole.resolve("model.onnx")));
    for (String file : List.of("adapter_model.safetensors", "adapter_config.json", "config.json")) {
      assertArrayEquals(
          Files.readAllBytes(whole.resolve("adapter").resolve(file)),
          Files.readAllBytes(run.resolve("adapter").resolve(file)),
          file);
    }
    assertSame(OnnxFile.read(whole.resolve("model.onnx")), Runs.model(run));
    assertNotEquals(predict(model), predict(run));
    assertEquals(predict(whole), predict(run));
    assertEquals(Cli.json("eval", whole, "--data", data), Cli.json("eval", run, "--data", data));
    Cli.json("merge", run, "-o", folder.resolve("a.onnx"));
    Cli.json("merge", whole, "-o", folder.resolve("b.onnx"));
    assertEquals(-1, Files.mismatch(folder.resolve("a.onnx"), folder.resolve("b.onnx")));
    assertEquals(
        run.resolve("model.merged.onnx").toString(),
        Cli.json("merge", run).get("output").textValue());
  }

  @Test
  void aModelTakesAnAdapterFromWhereverItLies() throws IOException {
    Path run = train("run");
    JsonNode expected = predict(run);
    assertEquals(expected, predict(model, "--adapter", run));
    assertEquals(expected, predict(model, "--adapter", run.resolve("adapter")));
    // Over a model without adapters, too.
    assertEquals(expected, predict(folder.resolve("base"), "--adapter", run));

    Path travelled = folder.resolve("base/adapters/tone");
    copy(run.resolve("adapter"), travelled);
    assertEquals(expected, predict(model, "--adapter", "tone"));
    assertEquals(
        Cli.json("eval", run, "--data", data),
        Cli.json("eval", model, "--adapter", "tone", "--data", data));
    Cli.json("merge", run, "-o", folder.resolve("a.onnx"));
    Cli.json("merge", model, "--adapter", "tone", "-o", folder.resolve("b.onnx"));
    assertEquals(-1, Files.mismatch(folder.resolve("a.onnx"), folder.resolve("b.onnx")));

    String none = failure("predict", model, "--adapter", "mood", "x");
    assertTrue(none.contains("no such adapter: mood"), none);
    assertTrue(none.contains("tone"), none);
    String other = failure("predict", model, "--adapter", folder.resolve("base"), "x");
    assertTrue(other.contains("is no adapter: it has no adapter_config.json"), other);
  }

  @Test
  void programsTakeAdaptersToo() {
    Path run = train("run");
    Model base = Model.open(model);
    assertSame(Runs.model(run), base.withAdapter(run).onnx());
    assertSame(
        Model.open(run).withOutput("logits").onnx(),
        base.withOutput("logits").withAdapter(run.resolve("adapter")).onnx());
    Model inMemory = base.unload();
    assertSame(Runs.model(run), inMemory.withAdapter(run).onnx());
  }

  @Test
  void aTrainingGoesOnFromAnAdapter() throws IOException {
    Path first = train("first");
    Path whole = train("first-whole", "--write-model");
    // The same model by both ways is trained to the same.
    model = whole;
    Path expected = train("second-of-whole", "--write-model");
    model = first;
    Path byRun = train("second-of-run");
    model = folder.resolve("base/model.lora.onnx");
    Path byOption = train("second-by-option", "--adapter", first);
    assertSame(OnnxFile.read(expected.resolve("model.onnx")), Runs.model(byRun));
    assertSame(OnnxFile.read(expected.resolve("model.onnx")), Runs.model(byOption));
    assertArrayEquals(Runs.learned(byRun), Runs.learned(byOption));
    // What a run notes makes the same run again.
    Path again = train("again", "--config", byOption.resolve("config.yaml"));
    assertArrayEquals(Runs.learned(byOption), Runs.learned(again));
  }

  @Test
  void allThatWasTrainedIsInTheAdapter() throws IOException {
    for (String[] options :
        List.of(
            new String[] {"--trainable", "LayerNorm", "--train-bias"},
            new String[] {"--trainable", "word_embeddings"},
            new String[] {"--method", "head"},
            new String[] {"--method", "head", "--trainable", "layer.1"},
            new String[] {"--lora-dropout", "0.1", "--accumulate", "3"})) {
      String name = String.join("", options);
      Path run = train("run" + name, (Object[]) options);
      List<Object> more = new ArrayList<>(Arrays.asList((Object[]) options));
      more.add("--write-model");
      Path whole = train("whole" + name, more.toArray());
      assertSame(OnnxFile.read(whole.resolve("model.onnx")), Runs.model(run));
      assertEquals(predict(whole), predict(run));
    }
  }

  @Test
  void aStoppedTrainingFromAnAdapterGoesOn() throws IOException {
    Path first = train("first");
    Path straight = train("straight", "--adapter", first, "--accumulate", 2);
    Path stopped = folder.resolve("stopped");
    TrainingArguments.Builder arguments =
        TrainingArguments.builder()
            .trainBatchSize(4)
            .numTrainEpochs(2)
            .gradientAccumulationSteps(2)
            .learningRate(1e-2)
            .loggingSteps(1)
            .engine(TrainingArguments.Engine.GRAPH)
            .outputDir(stopped);
    TrainingListener stop =
        new TrainingListener() {
          private long steps;

          @Override
          public void onStepEnd(StepMetrics metrics) {
            steps = metrics.step();
          }

          @Override
          public boolean shouldTrainingStop() {
            return steps == 3;
          }
        };
    Model start = Model.open(model).withAdapter(first);
    assertThrows(
        TrainingCancelledException.class,
        () -> start.train(Dataset.file(data), arguments.build(), stop));
    assertEquals(RunState.STOPPED, RunState.of(stopped));
    String unfinished = failure("predict", stopped, "x");
    assertTrue(unfinished.contains("is a run that was stopped and has no model yet"), unfinished);
    Cli.json("train", "--resume", stopped);
    assertEquals(RunState.FINISHED, RunState.of(stopped));
    assertArrayEquals(Runs.learned(straight), Runs.learned(stopped));

    // Another adapter in its place is not what the run began with.
    Path second = folder.resolve("stopped-again");
    assertThrows(
        TrainingCancelledException.class,
        () -> start.train(Dataset.file(data), arguments.outputDir(second).build(), stop));
    Path tensors = first.resolve("adapter/adapter_model.safetensors");
    byte[] bytes = Files.readAllBytes(tensors);
    bytes[bytes.length - 1] ^= 1;
    Files.write(tensors, bytes);
    String other = failure("train", "--resume", second);
    assertTrue(other.contains("adapter_model.safetensors"), other);
  }

  @Test
  void whatRefersToAModelThatIsReplacedIsNamed() {
    Path base = folder.resolve("base/model.onnx");
    Cli said =
        Cli.run("inject", folder.resolve("base"), "--match", "key", "--force", "-o", folder + "/x");
    assertEquals(0, said.exitCode(), said.err());
    Cli merged = Cli.run("merge", folder.resolve("x"), "--force", "-o", base);
    assertEquals(0, merged.exitCode(), merged.err());
    assertTrue(
        merged.err().contains(model + " had its weights in " + base + ", which was replaced"),
        merged.err());
  }

  @Test
  void anAdapterIsNoModel() throws IOException {
    Path run = train("run");
    String alone = failure("predict", run.resolve("adapter"), "x");
    assertTrue(alone.contains("holds an adapter, not a model: name the model"), alone);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--rslora --rank-pattern layer.0.*query=4",
        "--dora",
        "--dora --rslora --alpha-pattern value=16",
        "--bias all",
        "--bias lora-only --init kaiming",
        "--init orthogonal --layers 1"
      })
  void variantsAreInTheAdapter(String options) throws IOException {
    adaptAnew(options);
    Path run = train("run");
    Path whole = train("whole", "--write-model");
    assertFalse(Files.exists(run.resolve("model.onnx")));
    assertSame(OnnxFile.read(whole.resolve("model.onnx")), Runs.model(run));
    assertEquals(predict(whole), predict(run));
    assertEquals(predict(run), predict(folder.resolve("base"), "--adapter", run));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--init pissa", "--init olora"})
  void whatBeginsWithTheWeightsComesBackWhole(String options) throws IOException {
    adaptAnew(options);
    Path run = train("run");
    Path whole = train("whole", "--write-model");
    assertFalse(Files.exists(run.resolve("model.onnx")));
    assertSame(OnnxFile.read(whole.resolve("model.onnx")), Runs.model(run));
    double expected = Cli.json("eval", whole, "--data", data).get("loss").asDouble();
    assertNotEquals(Cli.json("eval", model, "--data", data).get("loss").asDouble(), expected, 1e-3);
    assertEquals(expected, Cli.json("eval", run, "--data", data).get("loss").asDouble(), 1e-5);
    Cli.json("merge", run, "-o", folder.resolve("m.onnx"));
    assertEquals(
        expected,
        Cli.json("eval", folder.resolve("m.onnx"), "--data", data).get("loss").asDouble(),
        1e-5);
  }

  private void adaptAnew(String options) {
    List<Object> arguments = new ArrayList<>(List.of("inject", folder.resolve("base/model.onnx")));
    arguments.addAll(List.of("--match", "query|value", "--rank", 2, "--force"));
    arguments.addAll(Arrays.asList((Object[]) options.split(" ")));
    Cli.json(arguments.toArray());
  }

  @Test
  void aHeadAloneTakesNoPlaceEither() throws IOException {
    model = folder.resolve("base/model.onnx");
    Path run = train("run", "--method", "head");
    Path whole = train("whole", "--method", "head", "--write-model");
    assertSame(OnnxFile.read(whole.resolve("model.onnx")), Runs.model(run));
    assertTrue(Files.size(run.resolve("model.onnx")) < 80_000);
    assertTrue(Files.isSameFile(model, run.resolve("model.onnx.data")));
    assertEquals(predict(whole), predict(run));
    List<Object> again = List.of("train", model, "--data", data, "--method", "head", "--steps", 1);
    List<Object> arguments = new ArrayList<>(again);
    arguments.addAll(List.of("-o", folder.resolve("said")));
    String said = Cli.run(arguments.toArray()).err();
    assertFalse(said.contains("adapter"), said);
  }

  @Test
  void whatIsNoAdapterIsWrittenWhole() throws IOException {
    Path full = train("full", "--method", "full");
    assertTrue(Files.exists(full.resolve("model.onnx")));
    assertFalse(Files.exists(full.resolve("adapter")));
    String none = failure("predict", model, "--adapter", full, "x");
    assertTrue(none.contains("is a run without an adapter"), none);
  }

  @Test
  void aModelInMemoryIsWrittenWhole() {
    List<String> notes = new ArrayList<>();
    Path run = folder.resolve("run");
    Model.open(folder.resolve("base"))
        .withNotes(notes::add)
        .inject(LoraConfig.builder().targetModules("query").rank(2).build())
        .train(
            Dataset.file(data),
            TrainingArguments.builder().numTrainEpochs(1).outputDir(run).build());
    assertTrue(Files.exists(run.resolve("model.onnx")));
    assertTrue(Files.exists(run.resolve("adapter")));
    assertTrue(
        notes.stream().anyMatch(line -> line.contains("what was trained on is in no file")),
        notes.toString());
  }

  @Test
  void aRunWhoseModelIsAnotherOneIsRefused() throws IOException {
    Path run = train("run");
    Path base = folder.resolve("base/model.onnx");
    byte[] bytes = Files.readAllBytes(base);
    byte[] changed = bytes.clone();
    changed[changed.length / 2] ^= 1;
    Files.write(base, changed);
    String other = failure("predict", run, "x");
    assertTrue(other.contains(base + ", which is another file than when it was made"), other);
    Files.write(base, bytes);
    predict(run);

    // A model that has its weights itself is held to its checksum.
    Path alone = folder.resolve("alone/model.lora.onnx");
    Cli.json("inject", base, "--match", "query", "--standalone", "-o", alone);
    model = alone;
    Path second = train("second");
    predict(second);
    Cli.json("inject", base, "--match", "query", "--seed", 1, "--force", "-o", alone);
    String replaced = failure("predict", second, "x");
    assertTrue(replaced.contains("has another content since"), replaced);
    Files.delete(alone);
    String missing = failure("predict", second, "x");
    assertTrue(missing.contains("is not there"), missing);
    assertTrue(missing.contains("with --adapter " + second.resolve("adapter")), missing);
    Cli.json("predict", base, "--adapter", second.resolve("adapter"), "x");
  }

  @Test
  void theChainHasTheWeightsOnce() throws IOException {
    Path run = train("run");
    Cli.json("train", run, "--data", data, "--steps", 2, "-o", folder.resolve("next"));
    long weights = Files.size(folder.resolve("base/model.onnx"));
    long all = 0;
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        all += Files.size(file);
      }
    }
    assertTrue(all < weights + 200_000, all + " bytes, and the model has " + weights);
    assertTrue(Files.size(run.resolve("adapter/adapter_model.safetensors")) < 20_000);
  }

  private static void assertSame(OnnxModel expected, OnnxModel actual) {
    Map<String, Tensor> tensors = actual.graph().initializers();
    assertEquals(expected.graph().initializers().keySet(), tensors.keySet());
    expected
        .graph()
        .initializers()
        .forEach((name, tensor) -> assertEquals(tensor.bytes(), tensors.get(name).bytes(), name));
    assertEquals(expected.metadata(), actual.metadata());
    assertEquals(expected.graph().nodes().size(), actual.graph().nodes().size());
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }
}
