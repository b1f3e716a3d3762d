package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.task.Task;
import io.github.loragraph.task.Tasks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.StringJoiner;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each task from the command line: a tiny model learns something simple. */
class TasksTest {
  private static final Path XLM = Fixtures.file("tiny-xlm-roberta/model.onnx");

  @TempDir Path folder;

  /** Rows of tokens, each with the label that a function of the tokens gives. */
  private Path data(String name, int rows, int seed, Function<int[], String> label)
      throws IOException {
    Random random = new Random(seed);
    StringBuilder lines = new StringBuilder();
    for (int row = 0; row < rows; row++) {
      int[] ids = new int[4 + random.nextInt(5)];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = 4 + random.nextInt(20);
      }
      StringJoiner list = new StringJoiner(",", "[", "]");
      for (int id : ids) {
        list.add(Integer.toString(id));
      }
      lines.append("{\"input_ids\":%s,\"label\":%s}\n".formatted(list, label.apply(ids)));
    }
    return Files.writeString(folder.resolve(name), lines);
  }

  @Test
  void regressionOnAModelWithOneOutput() throws IOException {
    Path model = Files.copy(XLM, folder.resolve("model.onnx"));
    Path train = data("train.jsonl", 96, 1, ids -> ids[0] < 14 ? "1.5" : "-0.5");
    Path eval = data("eval.jsonl", 48, 2, ids -> ids[0] < 14 ? "1.5" : "-0.5");
    JsonNode injected = Cli.json("inject", model, "--match", "query|output", "--rank", 4);
    assertEquals(0, injected.get("maxOutputDifference").asDouble());
    JsonNode trained =
        Cli.json(
            "train",
            folder.resolve("model.lora.onnx"),
            "--data",
            train,
            "--eval",
            eval,
            "--task",
            "regression",
            "--epochs",
            12,
            "--lr",
            "1e-2",
            "--train-bias",
            "-o",
            folder.resolve("run"));
    assertTrue(trained.get("eval").get("pearson").asDouble() > 0.5, trained::toString);
    assertTrue(trained.get("evalAccuracy").isNull());
    JsonNode merged = Cli.json("merge", folder.resolve("run"), "-o", folder.resolve("merged"));
    assertTrue(merged.get("maxOutputDifference").asDouble() < 1e-5, merged::toString);
    JsonNode measured = Cli.json("eval", folder.resolve("merged"), "--data", eval);
    assertEquals(trained.get("evalLoss").asDouble(), measured.get("loss").asDouble(), 1e-4);
    Cli wrong = Cli.run("eval", model, "--data", eval, "--task", "clustering");
    assertEquals(2, wrong.exitCode());
    Cli classes =
        Cli.run(
            "train",
            folder.resolve("model.lora.onnx"),
            "--data",
            train,
            "--task",
            "classification",
            "-o",
            folder.resolve("none"));
    assertEquals(1, classes.exitCode());
  }

  private static List<Task> withHeads() {
    return Tasks.ALL.stream().filter(task -> task.refusalOfHead().isEmpty()).toList();
  }

  @Test
  void aTaskThatNoHeadCanBePutOnForSaysWhy() {
    for (Task task : Tasks.ALL) {
      if (!withHeads().contains(task)) {
        Cli refused =
            Cli.run("add-head", encoder(), "--task", task, "-o", folder.resolve("" + task));
        assertEquals(2, refused.exitCode(), task::toString);
        assertTrue(refused.err().contains(task.refusalOfHead().orElseThrow()), refused.err());
        assertThrows(
            LoraGraphException.class,
            () -> HeadConfig.of(io.github.loragraph.Task.named(task.name()).get(), List.of()));
      }
    }
  }

  /** What a head is for has to be found again, whatever other tasks there are. */
  @ParameterizedTest
  @MethodSource("withHeads")
  void aModelWithAHeadKnowsItsTaskByItself(Task task) {
    Path model = folder.resolve("model");
    List<Object> words =
        new ArrayList<>(List.of("add-head", encoder(), "--task", task.name(), "-o", model));
    if (task.fixedLabels().isEmpty()) {
      words.addAll(List.of("--labels", "one,two"));
    }
    Cli.json(words.toArray());
    try (Predictor predictor =
        Model.open(model).predictor(InferenceArguments.builder().device(Device.CPU).build())) {
      assertEquals(task.name(), predictor.task().name());
    }
  }

  @Test
  void aHeadThatComesAfterTheAdaptersIsTrainedWithThem() throws IOException {
    Path data = data("train.jsonl", 48, 5, ids -> ids[0] < 14 ? "1" : "0");
    Path encoder = encoder();
    Path before = folder.resolve("before");
    Cli.json("add-head", encoder, "--labels", "0,1", "-o", before);
    Cli.json("inject", before, "--match", "query|value", "--rank", 2);
    Path adapted = folder.resolve("adapted.onnx");
    Cli.json("inject", encoder, "--match", "query|value", "--rank", 2, "-o", adapted);
    Path after = folder.resolve("after");
    JsonNode head = Cli.json("add-head", adapted, "--labels", "0,1", "-o", after);
    assertTrue(head.get("trainableParameters").asLong() > 0, head::toString);
    Map<String, float[]> expected = trained(before.resolve("model.lora.onnx"), data, "run1");
    Map<String, float[]> found = trained(after, data, "run2");
    assertEquals(expected.keySet(), found.keySet());
    assertTrue(expected.containsKey("classifier.out_proj.weight"), expected.keySet()::toString);
    expected.forEach((name, values) -> assertArrayEquals(values, found.get(name), name));
    Cli.json("merge", folder.resolve("run2"), "-o", folder.resolve("merged"));
  }

  /** The parameters of a model after a short training, by name. */
  private Map<String, float[]> trained(Path model, Path data, String run) throws IOException {
    Path target = folder.resolve(run);
    Cli.json(
        "train",
        model,
        "--data",
        data,
        "--steps",
        5,
        "--batch-size",
        8,
        "--lr",
        "1e-2",
        "-o",
        target);
    OnnxModel trained = Runs.model(target);
    return Parameters.of(trained).stream()
        .filter(parameter -> trained.graph().initializer(parameter.name()) != null)
        .collect(
            Collectors.toMap(
                Parameter::name, p -> trained.graph().initializer(p.name()).toFloats()));
  }

  /** An encoder of RoBERTa's kind without a head. */
  private Path encoder() {
    OnnxModel model = new ReferenceArchitecture(32, 2, 2, 64, 40, 40, 2).model(0);
    Path file = folder.resolve("encoder.onnx");
    OnnxFile.write(Encoders.of(model, 32), file, false);
    return file;
  }

  /** From a table to a head, a run, its evaluation and answers; each number is learned. */
  @Test
  void severalNumbersForEachExample() throws IOException {
    Function<int[], String> label =
        ids -> "[%s,%s]".formatted(ids[0] < 14 ? "1.5" : "-0.5", ids.length > 6 ? "2" : "0");
    Path train = data("train.jsonl", 160, 11, label);
    Path eval = data("eval.jsonl", 48, 12, label);
    Path model = folder.resolve("model");
    JsonNode head =
        Cli.json(
            "add-head",
            encoder(),
            "--task",
            "multioutput-regression",
            "--labels",
            "low,long",
            "-o",
            model);
    assertEquals("[\"low\",\"long\"]", head.get("labels").toString());
    JsonNode trained =
        Cli.json(
            "train",
            model,
            "--data",
            train,
            "--eval",
            eval,
            "--method",
            "full",
            "--epochs",
            15,
            "--lr",
            "5e-3",
            "-o",
            folder.resolve("run"));
    JsonNode figures = trained.get("eval");
    assertTrue(figures.get("pearson").asDouble() > 0.7, trained::toString);
    JsonNode measured = Cli.json("eval", folder.resolve("run"), "--data", eval);
    assertEquals(figures.get("loss").asDouble(), measured.get("loss").asDouble(), 1e-6);
    assertEquals(2, measured.get("numbers").size());
    double squares = 0;
    double correlations = 0;
    for (JsonNode number : measured.get("numbers")) {
      squares += number.get("loss").asDouble() / 2;
      correlations += number.get("pearson").asDouble() / 2;
    }
    assertEquals(measured.get("loss").asDouble(), squares, 1e-9);
    assertEquals(measured.get("pearson").asDouble(), correlations, 1e-9);
    assertTrue(Cli.run("eval", folder.resolve("run"), "--data", eval).out().contains("number"));

    JsonNode answer =
        Cli.json("predict", folder.resolve("run"), "--data", eval).get("predictions").get(0);
    double low = answer.get("values").get("low").asDouble();
    assertTrue(Math.abs(low - 1.5) < 1.2 || Math.abs(low + 0.5) < 1.2, answer::toString);
    Path answers = folder.resolve("answers.jsonl");
    Cli.json("predict", folder.resolve("run"), "--data", eval, "--output", answers);
    JsonNode written = new ObjectMapper().readTree(Files.readAllLines(answers).get(0));
    assertEquals(low, written.get("predicted_low").asDouble());
    assertTrue(written.has("predicted_long"));
    Cli lines = Cli.run("predict", folder.resolve("run"), "--data", eval);
    assertEquals(3, lines.out().lines().findFirst().orElseThrow().split("\t").length, lines::out);
  }

  /** The same rows from the program and from a file give the same model; a wrong one is named. */
  @Test
  void severalNumbersFromAProgram() throws IOException {
    Path file = data("train.jsonl", 24, 13, ids -> "[%d,%d]".formatted(ids[0], ids.length));
    List<Example> examples = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      JsonNode row = new ObjectMapper().readTree(line);
      int[] ids = new ObjectMapper().convertValue(row.get("input_ids"), int[].class);
      examples.add(
          Example.ofTokens(ids)
              .withLabels(List.of(Integer.toString(ids[0]), Integer.toString(ids.length))));
    }
    Model model =
        Model.open(encoder())
            .addHead(
                HeadConfig.of(
                    io.github.loragraph.Task.MULTIOUTPUT_REGRESSION, List.of("first", "length")));
    TrainingArguments arguments =
        TrainingArguments.builder()
            .method(TrainingArguments.Method.FULL)
            .maxSteps(6)
            .engine(TrainingArguments.Engine.GRAPH)
            .build();
    Model fromFile = model.train(Dataset.file(file), arguments).model();
    Model fromProgram = model.train(Dataset.of(examples), arguments).model();
    try (Predictor one = fromFile.predictor();
        Predictor other = fromProgram.predictor()) {
      Map<String, Double> values = one.predict(examples).get(3).values();
      assertEquals(List.of("first", "length"), List.copyOf(values.keySet()));
      assertEquals(values, other.predict(examples).get(3).values());
      assertEquals(2, other.evaluate(Dataset.of(examples)).tables().get(0).rows().size());
    }
    examples.set(1, examples.get(1).withLabels(List.of("1")));
    LoraGraphException wrong =
        assertThrows(LoraGraphException.class, () -> model.train(Dataset.of(examples), arguments));
    assertTrue(wrong.getMessage().startsWith("examples:2 has the label"), wrong::getMessage);
  }

  @Test
  void anExampleOfAProgramWithoutALabelForAHeadIsNamed() throws IOException {
    Model encoder = Model.open(encoder());
    Example labelled = Example.ofTokens(1, 2).withLabel("[\"a\", \"b\"]");
    for (io.github.loragraph.Task task :
        List.of(
            io.github.loragraph.Task.CLASSIFICATION,
            io.github.loragraph.Task.MULTILABEL,
            io.github.loragraph.Task.TOKEN_CLASSIFICATION)) {
      Example first =
          task == io.github.loragraph.Task.CLASSIFICATION ? labelled.withLabel("a") : labelled;
      for (Example other :
          List.of(Example.ofTokens(3, 4), labelled.withLabel(""), labelled.withLabel(" "))) {
        HeadConfig head = HeadConfig.of(task, Dataset.of(List.of(first, other)));
        LoraGraphException wrong =
            assertThrows(LoraGraphException.class, () -> encoder.addHead(head), task::toString);
        assertTrue(wrong.getMessage().startsWith("examples:2 has no label"), wrong::getMessage);
      }
    }
  }

  @Test
  void labelsOfSeveralNumbers() throws IOException {
    DataCommandsTest.makeModel(folder.resolve("words"));
    Path model = folder.resolve("model");
    Path encoder = encoder();
    Path data =
        Files.writeString(
            folder.resolve("train.csv"), "text,label\ngood,\"1.5,-2\"\nbad film,\"[0, 1e1]\"\n");
    JsonNode head =
        Cli.json(
            "add-head",
            encoder,
            "--task",
            "multioutput-regression",
            "--labels-from",
            data,
            "-o",
            model);
    assertEquals("[\"LABEL_0\",\"LABEL_1\"]", head.get("labels").toString());
    Files.copy(folder.resolve("words/tokenizer.json"), model.resolve("tokenizer.json"));
    // What config.json states fits the model's two outputs as this task alone.
    JsonNode measured = Cli.json("eval", model, "--data", data);
    assertEquals(2, measured.get("numbers").size(), measured::toString);
    Cli errors = Cli.run("eval", model, "--data", data, "--errors", 2);
    assertTrue(errors.out().contains("1.5,-2.0"), errors::out);
    for (String wrong :
        List.of(
            "1.5", "1,2,3", "\"1,,2\"", "\"[1,[2]]\"", "\"1,two\"", "\"1,NaN\"", "\"1,1e30\"")) {
      Path file = Files.writeString(folder.resolve("w.csv"), "text,label\ngood," + wrong + "\n");
      Cli refused = Cli.run("eval", model, "--data", file);
      assertEquals(1, refused.exitCode(), wrong);
      assertTrue(refused.err().contains("w.csv:2"), refused.err());
      assertEquals(1, refused.err().lines().count(), refused.err());
    }
    Path ragged =
        Files.writeString(folder.resolve("r.csv"), "text,label\ngood,\"1,2\"\nbad,\"1,2,3\"\n");
    Cli refused =
        Cli.run(
            "add-head",
            encoder,
            "--task",
            "multioutput-regression",
            "--labels-from",
            ragged,
            "-o",
            folder.resolve("none"));
    assertTrue(refused.err().contains("r.csv:3 has a label of 3 numbers"), refused.err());
    Cli one =
        Cli.run(
            "add-head",
            encoder,
            "--task",
            "multioutput-regression",
            "--labels",
            "a",
            "-o",
            folder.resolve("none"));
    assertEquals(2, one.exitCode());
    Cli smoothed =
        Cli.run(
            "train",
            model,
            "--data",
            data,
            "--method",
            "full",
            "--label-smoothing",
            "0.1",
            "-o",
            folder.resolve("none"));
    assertTrue(smoothed.err().contains("multioutput-regression"), smoothed.err());
    assertFalse(Files.exists(folder.resolve("none")));
  }

  @Test
  void anyNumberOfClasses() throws IOException {
    Function<int[], String> label =
        ids -> {
          StringJoiner classes = new StringJoiner(",", "[", "]");
          if (ids[0] < 14) {
            classes.add("\"low\"");
          }
          if (ids.length > 5) {
            classes.add("\"long\"");
          }
          return classes.toString();
        };
    Path train = data("train.jsonl", 160, 3, label);
    Path eval = data("eval.jsonl", 64, 4, label);
    Path model = folder.resolve("model");
    JsonNode head =
        Cli.json(
            "add-head", encoder(), "--task", "multilabel", "--labels-from", train, "-o", model);
    assertEquals("[\"long\",\"low\"]", head.get("labels").toString());
    JsonNode trained =
        Cli.json(
            "train",
            model,
            "--data",
            train,
            "--eval",
            eval,
            "--method",
            "full",
            "--epochs",
            15,
            "--lr",
            "5e-3",
            "-o",
            folder.resolve("run"));
    assertTrue(trained.get("eval").get("microF1").asDouble() > 0.7, trained::toString);
    JsonNode measured = Cli.json("eval", folder.resolve("run"), "--data", eval);
    assertEquals(trained.get("eval").get("microF1"), measured.get("microF1"));
    assertEquals(2, measured.get("classes").size());
    Cli smoothing =
        Cli.run(
            "train",
            model,
            "--data",
            train,
            "--method",
            "full",
            "--label-smoothing",
            "0.1",
            "-o",
            folder.resolve("none"));
    assertEquals(1, smoothing.exitCode());
    assertTrue(smoothing.err().contains("multilabel"), smoothing.err());
  }

  @Test
  void aClassForEachToken() throws IOException {
    Function<int[], String> label =
        ids -> {
          StringJoiner classes = new StringJoiner(",", "[", "]");
          for (int i = 0; i < ids.length; i++) {
            classes.add(i == 0 ? "-100" : ids[i] < 10 ? "\"A\"" : "\"O\"");
          }
          return classes.toString();
        };
    Path train = data("train.jsonl", 96, 5, label);
    Path eval = data("eval.jsonl", 48, 6, label);
    Path model = folder.resolve("model");
    Cli.json(
        "add-head", encoder(), "--task", "token-classification", "--labels", "O,A", "-o", model);
    Cli.json("inject", model, "--match", "query|output");
    JsonNode trained =
        Cli.json(
            "train",
            model.resolve("model.lora.onnx"),
            "--data",
            train,
            "--eval",
            eval,
            "--epochs",
            12,
            "--lr",
            "5e-3",
            "--lora-dropout",
            "0.1",
            "--label-smoothing",
            "0.05",
            "--class-weights",
            "balanced",
            "--trainable",
            "LayerNorm",
            "-o",
            folder.resolve("run"));
    assertTrue(trained.get("evalAccuracy").asDouble() > 0.9, trained::toString);
    JsonNode measured = Cli.json("eval", folder.resolve("run"), "--data", eval);
    assertEquals(trained.get("evalAccuracy"), measured.get("accuracy"));
    assertTrue(measured.get("examples").asInt() > 48, "tokens are counted");
  }

  /** Rows of several lengths, labels as long as they: a call's batches differ in two axes. */
  @ParameterizedTest
  @MethodSource("withHeads")
  void severalStepsInACallAreTheSameOnes(Task task) throws IOException {
    Function<int[], String> label =
        switch (task.name()) {
          case "classification" -> ids -> ids[0] < 14 ? "0" : "1";
          case "regression" -> ids -> Integer.toString(ids[0]);
          case "multioutput-regression" -> ids -> "[%d,%d]".formatted(ids[0], ids.length);
          case "multilabel" -> ids -> ids[0] < 14 ? "[0,1]" : "[1,1]";
          case "token-classification" ->
              ids -> Arrays.toString(Arrays.stream(ids).map(id -> id % 2).toArray());
          case "rerank" -> ids -> ids[0] < 14 ? "0" : "1";
          default -> throw new AssertionError("no labels for " + task);
        };
    Path train = data("train.jsonl", 21, 8, label);
    Path model = folder.resolve("model");
    List<Object> head = new ArrayList<>(List.of("add-head", encoder(), "--task", task));
    head.addAll(task.fixedLabels().isPresent() ? List.of() : List.of("--labels", "a,b"));
    head.addAll(List.of("-o", model));
    Cli.json(head.toArray());
    Cli.json("inject", model, "--match", "query|output");
    byte[] expected = null;
    for (int stepsPerCall : new int[] {1, 2, 8}) {
      Path run = folder.resolve("run" + stepsPerCall);
      Cli.json(
          "train",
          model.resolve("model.lora.onnx"),
          "--data",
          train,
          "--batch-size",
          2,
          "--accumulate",
          2,
          "--lora-dropout",
          0.1,
          "--steps-per-call",
          stepsPerCall,
          "-o",
          run);
      byte[] trained = Runs.learned(run);
      expected = expected == null ? trained : expected;
      assertArrayEquals(expected, trained, stepsPerCall + " steps in a call");
    }
  }

  /** One list for tokens, one for their labels, whatever other rows of the file a batch has. */
  @Test
  void eachTokenHasOneLabelInAFileOfAnswers() throws IOException {
    Path model = folder.resolve("model");
    DataCommandsTest.makeModel(folder.resolve("words"));
    Cli.json(
        "add-head", encoder(), "--task", "token-classification", "--labels", "O,A", "-o", model);
    Files.copy(folder.resolve("words/tokenizer.json"), model.resolve("tokenizer.json"));
    Path data = Files.writeString(folder.resolve("t.tsv"), "text\ngood\nthe good bad film\n");
    Path answers = folder.resolve("answers.jsonl");
    Cli.json("predict", model, "--data", data, "--output", answers);
    List<String> lines = Files.readAllLines(answers);
    for (int row = 0; row < 2; row++) {
      JsonNode answer = new ObjectMapper().readTree(lines.get(row));
      assertEquals(row == 0 ? 3 : 6, answer.get("predicted_tokens").size(), answer::toString);
      assertEquals(row == 0 ? 3 : 6, answer.get("predicted_labels").size(), answer::toString);
    }
  }

  /** A reranker's config.json has the one name that every model of one output is given. */
  @Test
  void oneNumberIsTakenForTwoClassesBesideItsConfiguration() throws IOException {
    Path model = folder.resolve("model");
    Cli.json("add-head", encoder(), "--task", "regression", "-o", model);
    assertTrue(Files.readString(model.resolve("config.json")).contains("LABEL_0"));
    Path data = data("train.jsonl", 16, 9, ids -> ids[0] < 14 ? "0" : "1");
    JsonNode trained =
        Cli.json(
            "train",
            model,
            "--data",
            data,
            "--method",
            "head",
            "--task",
            "classification",
            "--steps",
            2,
            "-o",
            folder.resolve("run"));
    assertEquals(2, trained.get("steps").asInt());
    JsonNode measured = Cli.json("eval", folder.resolve("run"), "--data", data);
    assertEquals(2, measured.get("classes").size(), measured::toString);
  }

  @Test
  void optionsThatWouldChangeNothingAreRefused() throws IOException {
    Path model = folder.resolve("model.onnx");
    Files.copy(Oracle.of("tiny-roberta").modelFile(), model);
    Path train = data("train.jsonl", 16, 7, ids -> ids[0] < 14 ? "0" : "1");
    for (List<Object> options :
        List.<List<Object>>of(
            List.of("--eval-every", 2),
            List.of("--trainable", "LayerNorm"),
            List.of("--train-bias"))) {
      List<Object> arguments = new ArrayList<>(List.of("train", model, "--method", "full"));
      arguments.addAll(List.of("--data", train, "--steps", 2, "-o", folder.resolve("run")));
      arguments.addAll(options);
      Cli run = Cli.run(arguments.toArray());
      assertNotEquals(0, run.exitCode(), options::toString);
      assertTrue(run.err().contains(options.get(0).toString()), run.err());
      assertFalse(Files.exists(folder.resolve("run")), options::toString);
    }
  }

  @Test
  void furtherParametersAreTrainedAndNothingElse() throws IOException {
    Path model = folder.resolve("model.onnx");
    Files.copy(Oracle.of("tiny-roberta").modelFile(), model);
    Path train = data("train.jsonl", 16, 7, ids -> ids[0] < 14 ? "0" : "1");
    Cli.json("inject", model, "--match", "query");
    Path injected = folder.resolve("model.lora.onnx");
    JsonNode trained =
        Cli.json(
            "train",
            injected,
            "--data",
            train,
            "--trainable",
            "LayerNorm",
            "--train-bias",
            "--steps",
            2,
            "-o",
            folder.resolve("run"));
    assertEquals(2, trained.get("steps").asInt());
    Map<String, float[]> before = values(OnnxFile.read(injected));
    Map<String, float[]> after = values(Runs.model(folder.resolve("run")));
    for (String name : before.keySet()) {
      boolean expected =
          name.contains("LayerNorm")
              || name.endsWith("query.bias")
              || name.contains("lora_")
              || name.startsWith("classifier");
      boolean changed = !Arrays.equals(before.get(name), after.get(name));
      assertEquals(expected, changed, name);
    }
    JsonNode inspected = Cli.json("inspect", folder.resolve("run"), "--verbose");
    for (JsonNode p : inspected.get("parameters")) {
      if (p.get("name").asText().contains("LayerNorm")) {
        assertTrue(p.get("trainable").asBoolean());
      }
    }
    Cli none =
        Cli.run(
            "train",
            injected,
            "--data",
            train,
            "--trainable",
            "nothing",
            "-o",
            folder.resolve("none"));
    assertEquals(1, none.exitCode());
    assertFalse(Files.exists(folder.resolve("none")));
  }

  private static Map<String, float[]> values(OnnxModel model) {
    List<Parameter> parameters = Parameters.of(model);
    return parameters.stream()
        .collect(
            Collectors.toMap(
                Parameter::name, p -> model.graph().initializer(p.initializer()).toFloats()));
  }

  @Test
  void inspectSaysWhatWasRecognised() throws IOException {
    JsonNode recognised =
        new ObjectMapper()
            .readTree(Cli.run("inspect", Oracle.of("tiny-roberta").modelFile(), "--json").out())
            .get("recognised");
    assertEquals(5, recognised.get("LayerNormPattern").asInt());
    assertEquals(2, recognised.get("GeluPattern").asInt());
  }
}
