package io.github.loragraph.sagemaker;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.cli.LoraGraph;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Jobs in a made-up {@code /opt/ml}: done, failed, stopped, started again. */
@Timeout(300)
class TrainingContainerTest {
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());
  private static final List<String> MODEL_FILES =
      List.of("model.onnx", "config.json", "tokenizer.json", "adapter/adapter_model.safetensors");

  @TempDir Path folder;

  private static Map<String, String> job(String... more) {
    Map<String, String> job = new LinkedHashMap<>();
    job.put("match", "query|output");
    job.put("rank", "2");
    job.put("lr", "\"1e-2\"");
    job.put("epochs", "3");
    job.put("batch_size", "2");
    job.put("accumulate", "2");
    job.put("log-every", "1");
    job.put("eval-every", "2");
    job.put("checkpoint-every", "4");
    job.put("lora-dropout", "0.2");
    job.put("engine", "graph");
    for (int i = 0; i < more.length; i += 2) {
      job.put(more[i], more[i + 1]);
    }
    return job;
  }

  private static String run(Object... words) {
    StringWriter out = new StringWriter();
    CommandLine commandLine = LoraGraph.commandLine();
    commandLine.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(out, true));
    int code =
        LoraGraph.execute(
            commandLine, Arrays.stream(words).map(Object::toString).toArray(String[]::new));
    assertEquals(0, code, out.toString());
    return out.toString();
  }

  private static void assertSame(Path expected, Path actual, String... names) throws IOException {
    for (String name : names) {
      assertArrayEquals(
          Files.readAllBytes(expected.resolve(name)),
          Files.readAllBytes(actual.resolve(name)),
          name);
    }
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> folder.relativize(file).toString())
          .sorted()
          .toList();
    }
  }

  /** All values that a metric's expression finds, as the service does. */
  private static List<Double> values(String name, String out) {
    MetricDefinition definition =
        MetricDefinition.all().stream()
            .filter(d -> d.name().equals(name))
            .findFirst()
            .orElseThrow();
    Matcher matcher = Pattern.compile(definition.regex()).matcher(out);
    List<Double> values = new ArrayList<>();
    while (matcher.find()) {
      values.add(Double.parseDouble(matcher.group(1)));
    }
    return values;
  }

  @ParameterizedTest
  @ValueSource(strings = {"graph", "training-api"})
  void aJobIsTheRunOfTheSameCommands(String engine) throws IOException, InterruptedException {
    Container container = Container.in(folder.resolve("opt-ml"));
    container.hyperParameters(
        job("engine", engine, "seed", "\"7\"", "sagemaker_program", "\"train.py\""));
    // A process can load one build of ONNX Runtime.
    Container.Ended done = container.trainUntil(line -> false);
    assertEquals(0, done.code(), done.err());
    assertTrue(done.out().contains("(engine %s on cpu)".formatted(engine)), done.out());
    assertFalse(Files.exists(container.base.resolve("output/failure")));
    assertTrue(done.err().contains("sagemaker_program"), done.err());

    Path data = container.base.resolve("input/data");
    Path work = Files.createDirectories(folder.resolve("by-hand"));
    run(
        "inject",
        data.resolve("model"),
        "--match=query|output",
        "--rank=2",
        "--seed=7",
        "-o",
        work.resolve("model.lora.onnx"));
    List<Object> train =
        new ArrayList<>(
            List.of(
                "train",
                work.resolve("model.lora.onnx"),
                "--data",
                data.resolve("train/train.tsv"),
                "--eval",
                data.resolve("validation/dev.tsv"),
                "--seed=7",
                "--lr=1e-2",
                "--epochs=3",
                "--batch-size=2",
                "--accumulate=2",
                "--log-every=1",
                "--eval-every=2",
                "--lora-dropout=0.2",
                "-o",
                work.resolve("run")));
    if (engine.equals("graph")) {
      train.add("--engine=graph");
      run(train.toArray());
      run("merge", work.resolve("run"), "-o", work.resolve("merged"));
      assertSame(
          work.resolve("merged"), container.base.resolve("model"), "model.onnx", "config.json");
      assertSame(
          work.resolve("run"),
          container.base.resolve("model"),
          "adapter/adapter_model.safetensors");
    }
    assertTrue(names(container.base.resolve("model")).containsAll(MODEL_FILES));
    assertEquals(
        List.of("config.yaml", "metrics.jsonl", "optimizer.ckpt", "report.html", "run.json"),
        names(container.base.resolve("output/data")));
    run("eval", container.base.resolve("model"), "--data", data.resolve("validation/dev.tsv"));

    JsonNode record =
        new ObjectMapper().readTree(container.base.resolve("output/data/run.json").toFile());
    List<Double> accuracies = values("validation:accuracy", done.out());
    // 6 steps an epoch: an evaluation after each second step, and what the run ends with.
    assertEquals(10, accuracies.size(), done.out());
    assertEquals(18, values("train:loss", done.out()).size(), done.out());
    assertEquals(10, values("validation:loss", done.out()).size(), done.out());
    assertTrue(values("sst2_valid_acc", done.out()).isEmpty(), done.out());
    assertEquals(
        record.get("final").get("accuracy").asDouble(), accuracies.get(9), record.toString());
  }

  @Test
  void theArticlesNamesAreUnderstood() throws IOException {
    Container full = Container.in(folder.resolve("full"));
    full.hyperParameters(
        Map.of(
            "sst2-lora-config",
            "\"none\"",
            "sst2-learning-rate",
            "\"5e-5\"",
            "sst2-epochs",
            "1",
            "log-every",
            "2",
            "_tuning_objective_metric",
            "sst2_valid_acc"));
    Container.Ended first = full.train();
    assertEquals(0, first.code(), first.err());
    assertFalse(Files.exists(full.base.resolve("model/adapter")));
    assertTrue(Files.readString(full.base.resolve("output/data/config.yaml")).contains("full"));
    assertEquals(values("validation:accuracy", first.out()), values("sst2_valid_acc", first.out()));
    assertFalse(values("sst2_valid_acc", first.out()).isEmpty(), first.out());

    Container lora = Container.in(folder.resolve("lora"));
    lora.hyperParameters(
        Map.of(
            "sst2-lora-config",
            "\"\\\"query|output\\\"\"",
            "sst2-lora-r",
            "2",
            "sst2-learning-rate",
            "4e-4",
            "sst2-epochs",
            "1"));
    Container.Ended second = lora.train();
    assertEquals(0, second.code(), second.err());
    assertTrue(
        Files.readString(lora.base.resolve("model/adapter/adapter_config.json"))
            .replaceAll("\\s", "")
            .contains("\"r\":2"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"graph", "training-api"})
  void whatIsStoppedGoesOnToTheSameBytes(String engine) throws IOException, InterruptedException {
    Random random = new Random(SEED);
    Container whole = Container.in(folder.resolve("whole"));
    whole.hyperParameters(job("engine", engine));
    Container.Ended done = whole.trainUntil(line -> false);
    assertEquals(0, done.code(), done.err());

    Container stopped = Container.in(folder.resolve("stopped"));
    stopped.hyperParameters(job("engine", engine));
    int from = 0;
    for (int stop = 0; stop < 2; stop++) {
      int at = from + 1 + random.nextInt(7);
      Container.Ended ended = stopped.trainUntil(line -> line.contains(" step=" + at + " train:"));
      String when = "seed %d, step %d: %s".formatted(SEED, at, ended.err());
      assertEquals(143, ended.code(), when);
      assertFalse(Files.exists(stopped.base.resolve("output/failure")), when);
      assertTrue(ended.err().contains("goes on from"), when);
      assertNoTemporaryFiles(stopped.base.resolve("checkpoints"));
      from = at + 1;
    }
    Container.Ended ended = stopped.trainUntil(line -> false);
    assertEquals(0, ended.code(), ended.err());
    assertTrue(ended.err().contains("going on from the checkpoint of step"), ended.err());
    assertSame(
        whole.base.resolve("model"),
        stopped.base.resolve("model"),
        MODEL_FILES.toArray(String[]::new));
    assertEquals(lossesOf(whole), lossesOf(stopped));
  }

  private static List<String> lossesOf(Container container) throws IOException {
    List<String> losses = new ArrayList<>();
    for (String line : Files.readAllLines(container.base.resolve("output/data/metrics.jsonl"))) {
      JsonNode entry = new ObjectMapper().readTree(line);
      losses.add("%s %s %s".formatted(entry.get("step"), entry.get("loss"), entry.get("evalLoss")));
    }
    return losses;
  }

  private static void assertNoTemporaryFiles(Path checkpoints) throws IOException {
    for (String name : names(checkpoints)) {
      assertTrue(
          name.matches("run-[0-9a-f]{16}/(step-\\d{8}-[0-9a-f]{16}\\.json|[0-9a-f]{16}-[\\w.-]+)"),
          name);
    }
  }

  @Test
  void whatIsKilledGoesOnToTheSameBytes() throws IOException, InterruptedException {
    Container whole = Container.in(folder.resolve("whole"));
    whole.hyperParameters(job());
    assertEquals(0, whole.train().code());

    Container killed = Container.in(folder.resolve("killed"));
    killed.hyperParameters(job());
    killed.trainUntilKilled(
        line -> line.contains(" step=" + (5 + new Random(SEED).nextInt(10)) + " train:"));
    Container.Ended ended = killed.train();
    assertEquals(0, ended.code(), ended.err());
    assertTrue(ended.err().contains("going on from the checkpoint of step"), ended.err());
    assertSame(
        whole.base.resolve("model"),
        killed.base.resolve("model"),
        MODEL_FILES.toArray(String[]::new));

    // Damaged at the same length: the steps since the one before are made again.
    Path last;
    try (Stream<Path> kept = Files.walk(killed.base.resolve("checkpoints"))) {
      last = kept.filter(f -> f.toString().endsWith("-step-00000018")).findFirst().orElseThrow();
    }
    byte[] damaged = Files.readAllBytes(last);
    damaged[damaged.length / 2] ^= 1;
    Files.write(last, damaged);
    Files.delete(killed.base.resolve("model/model.onnx"));
    ended = killed.train();
    assertEquals(0, ended.code(), ended.err());
    assertTrue(ended.err().contains("-step-00000018 is not whole"), ended.err());
    assertTrue(ended.err().contains("going on from the checkpoint of step 16 "), ended.err());
    assertSame(
        whole.base.resolve("model"),
        killed.base.resolve("model"),
        MODEL_FILES.toArray(String[]::new));
  }

  @Test
  void anotherConfigurationBeginsAnewAndSaysSo() throws IOException {
    Container container = Container.in(folder.resolve("opt-ml"));
    container.hyperParameters(job("epochs", "1"));
    assertEquals(0, container.train().code());
    List<String> before = names(container.base.resolve("checkpoints"));
    container.hyperParameters(job("epochs", "1", "rank", "3"));
    Container.Ended ended = container.train();
    assertEquals(0, ended.code(), ended.err());
    assertTrue(ended.err().contains("nothing of this configuration"), ended.err());
    assertTrue(names(container.base.resolve("checkpoints")).containsAll(before));
    // The same again has all of its steps made: what is left is to write the model.
    Container.Ended again = container.train();
    assertTrue(again.err().contains("going on from the checkpoint of step 6 "), again.err());
    assertTrue(values("train:loss", again.out()).isEmpty(), again.out());
    assertFalse(values("validation:accuracy", again.out()).isEmpty(), again.out());
  }

  @Test
  void aModelThatAJobHasWrittenIsTrainedFurther() throws IOException, InterruptedException {
    Container before = Container.in(folder.resolve("before"));
    before.hyperParameters(job("epochs", "1"));
    assertEquals(0, before.train().code());
    Container container = Container.in(folder.resolve("opt-ml"));
    Path model = container.base.resolve("input/data/model");
    for (String name : List.of("model.onnx", "config.json", "tokenizer.json")) {
      Files.delete(model.resolve(name));
    }
    Process tar =
        new ProcessBuilder("tar", "-czf", model.resolve("model.tar.gz").toString(), ".")
            .directory(before.base.resolve("model").toFile())
            .inheritIO()
            .start();
    assertEquals(0, tar.waitFor());
    Files.delete(container.base.resolve("checkpoints"));
    container.hyperParameters(job("epochs", "1"));
    Container.Ended ended = container.train();
    assertEquals(0, ended.code(), ended.err());
    assertTrue(ended.err().contains("unpacked from"), ended.err());
    assertFalse(
        Arrays.equals(
            Files.readAllBytes(before.base.resolve("model/model.onnx")),
            Files.readAllBytes(container.base.resolve("model/model.onnx"))));
    assertTrue(ended.err().contains("a training that is interrupted begins anew"), ended.err());
  }

  static Stream<Arguments> failures() {
    return Stream.of(
        failure(
            "hyperparameters.json: lora-rnk is no option of train",
            c -> c.hyperParameters(job("lora_rnk", "4"))),
        failure("hyperparameters.json: rank: ", c -> c.hyperParameters(job("rank", "\"many\""))),
        failure(
            "hyperparameters.json: seed: 'x' is no whole number",
            c -> c.hyperParameters(job("seed", "x"))),
        failure(
            "hyperparameters.json: method: none trains nothing",
            c -> c.hyperParameters(Map.of("method", "none"))),
        failure(
            "hyperparameters.json: sst2-lora-r: 'rank' says the same",
            c -> c.hyperParameters(job("sst2-lora-r", "4"))),
        failure(
            "ranks of single layers",
            c -> c.hyperParameters(Map.of("sst2-lora-config", "query(4)|output"))),
        failure(
            "sst2-lora-s: no hyperparameter of that name",
            c -> c.hyperParameters(Map.of("sst2-lora-s", "4"))),
        failure(
            "hyperparameters.json:1 is no JSON",
            c -> c.write("input/config/hyperparameters.json", "{\"rank\": ")),
        failure(
            "hyperparameters.json:1 has a name twice",
            c -> c.write("input/config/hyperparameters.json", "{\"rank\": 1, \"rank\": 2}")),
        failure(
            "hyperparameters.json is no JSON object",
            c -> c.write("input/config/hyperparameters.json", "[]")),
        failure(
            "hyperparameters.json: lora-rnk is no option of train",
            c -> c.write("input/config/hyperparameters.json", "{\"lora_rnk\": null}")),
        failure(
            "hyperparameters.json: Seed: 'seed' says the same",
            c -> c.hyperParameters(job("seed", "1", "Seed", "2"))),
        failure(
            "hyperparameters.json: '': a hyperparameter without a name",
            c -> c.hyperParameters(job("", "1"))),
        failure(
            "hyperparameters.json: model: there is a NUL character",
            c -> c.hyperParameters(job("model", "a\0b"))),
        failure(
            "hyperparameters.json: --threads must be 1 to 1,024",
            c -> c.hyperParameters(job("threads", "99999"))),
        failure(
            "the job has 0 hosts",
            c -> c.write("input/config/resourceconfig.json", "{\"hosts\": \"algo-1\"}")),
        failure("matches no Linear layer", c -> c.hyperParameters(job("match", "nothing-of-it"))),
        failure("channel 'train' is in Pipe mode", c -> c.channels(Map.of("train", "Pipe"))),
        failure(
            "there is a channel 'test'", c -> c.channels(Map.of("train", "File", "test", "File"))),
        failure(
            "channel 'train' is named, and there is no folder",
            c -> Files.move(c.base.resolve("input/data/train"), c.base.resolve("elsewhere"))),
        failure("the job has no data", c -> c.channels(Map.of("model", "File"))),
        failure("the job has no model", c -> c.channels(Map.of("train", "File"))),
        failure(
            "has no file with examples",
            c ->
                Files.move(
                    c.base.resolve("input/data/train/train.tsv"),
                    c.base.resolve("input/data/train/_train.tsv"))),
        failure(
            "train.parquet",
            c ->
                Files.move(
                    c.base.resolve("input/data/train/train.tsv"),
                    c.base.resolve("input/data/train/train.parquet"))),
        failure(
            "the job has 2 hosts",
            c ->
                c.write(
                    "input/config/resourceconfig.json", "{\"hosts\": [\"algo-1\", \"algo-2\"]}")),
        failure(
            "train.tsv",
            c -> c.write("input/data/train/train.tsv", "sentence\tlabel\ngood film\tunheard-of\n")),
        failure("model.onnx", c -> c.write("input/data/model/model.onnx", "nothing")));
  }

  @Test
  void filesThatNothingNamesAreSaidToBeUnused() throws IOException {
    Container container = Container.in(folder.resolve("opt-ml"));
    container.write("input/data/train/more.parquet", "x");
    container.write("input/data/validation/labels.tsv", "x");
    container.hyperParameters(
        job("data", "train/*.tsv", "eval", "validation/dev.tsv", "match", "nothing-of-it"));
    Container.Ended ended = container.train();
    assertTrue(
        ended.err().contains("not used of channel 'train', since")
            && ended.err().contains(": more.parquet"),
        ended.err());
    assertTrue(ended.err().contains(": labels.tsv"), ended.err());
    assertFalse(ended.err().contains("dev.tsv,"), ended.err());
  }

  @Test
  void aModelInAnArchiveIsCalledByTheNameOfTheArchive() throws IOException, InterruptedException {
    Container container = Container.in(folder.resolve("opt-ml"));
    Path model = container.base.resolve("input/data/model");
    Files.writeString(model.resolve("model.onnx"), "nothing");
    assertEquals(
        0,
        new ProcessBuilder("tar", "-czf", "packed.tar.gz", "model.onnx", "config.json")
            .directory(model.toFile())
            .start()
            .waitFor());
    Files.delete(model.resolve("model.onnx"));
    container.hyperParameters(job());
    assertEquals(1, container.train().code());
    String failure = Files.readString(container.base.resolve("output/failure"));
    assertTrue(failure.contains("packed.tar.gz/model.onnx"), failure);
  }

  @ParameterizedTest
  @ValueSource(strings = {"model", "checkpoints"})
  void whatCannotBeWrittenIsSaidBeforeTheTraining(String name) throws IOException {
    Container container = Container.in(folder.resolve("opt-ml"));
    container.hyperParameters(job());
    Path place = container.base.resolve(name);
    Files.delete(place);
    container.write(name, "a file");
    Container.Ended ended = container.train();
    assertEquals(1, ended.code());
    String failure = Files.readString(container.base.resolve("output/failure"));
    assertTrue(failure.contains(place + (name.equals("model") ? ": " : " is no folder")), failure);
    assertEquals("", ended.out());
  }

  private interface Change {
    void of(Container container) throws IOException;
  }

  private static Arguments failure(String message, Change change) {
    return Arguments.of(message, change);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("failures")
  void whatFailsIsOneLineInTheFileForIt(String message, Change change) throws IOException {
    Container container = Container.in(folder.resolve("opt-ml"));
    container.hyperParameters(job());
    change.of(container);
    Container.Ended ended = container.train();
    assertEquals(1, ended.code(), ended.out());
    String failure = Files.readString(container.base.resolve("output/failure"));
    assertTrue(failure.contains(message), failure);
    assertTrue(failure.length() <= 1024 && !failure.contains("\n"), failure);
    assertEquals(List.of(), names(container.base.resolve("model")));
    assertEquals(List.of(), names(container.base.resolve("checkpoints")));
  }
}
