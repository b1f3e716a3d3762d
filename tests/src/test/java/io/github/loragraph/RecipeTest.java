package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.engine.Engines;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Optimization;
import io.github.loragraph.training.TrainingGraph;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The recipe as a user gets it, by the command line. */
class RecipeTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  @Test
  void tokensOfAGroupCountTheSame() throws Exception {
    new RecipeOracle("token-accum").checkCommand("graph", folder);
  }

  @Test
  void equalSharesAreTheMeanOfMeans() throws Exception {
    new RecipeOracle("token-accum").checkMeanOfMeans(EngineKind.GRAPH);
  }

  /** With no option but the data: every default of the recipe, in full fine-tuning. */
  @Test
  void defaultsOfFullFineTuning() throws IOException {
    Path model = folder.resolve("model.onnx");
    OnnxFile.write(TinyClassifier.model(), model, false);
    Random random = new Random(4);
    List<int[]> rows = new ArrayList<>();
    int[] labels = new int[43];
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < labels.length; i++) {
      rows.add(random.ints(1 + random.nextInt(9), 1, TinyClassifier.VOCABULARY).toArray());
      labels[i] = random.nextInt(TinyClassifier.CLASSES);
      lines.append(line(rows.get(i), Integer.toString(labels[i])));
    }
    Path data = Files.writeString(folder.resolve("train.jsonl"), lines);
    List<JsonNode> logged = train("--method", "full", model, "--data", data);

    PlainTraining plain =
        new PlainTraining(
            new PlainTraining.Data(rows, labels, new double[0], 0),
            new PlainTraining.Optimizer(0, false, 1));
    List<Double> losses = new ArrayList<>();
    for (int epoch = 0; epoch < 3; epoch++) {
      for (List<Integer> batch : shuffled(rows, 8, epoch)) {
        losses.add(plain.step(batch, 5e-5 * PlainTraining.linear(losses.size(), 0, 18)));
      }
    }
    checkLogged(losses, 5e-5, logged);
    OnnxModel trained = Runs.model(folder.resolve("run"));
    plain
        .parameters()
        .forEach(
            (name, expected) ->
                assertArrayEquals(
                    expected, trained.graph().initializer(name).toDoubles(), 1e-6, name));
  }

  /** The same for adapters: a loop over one engine, a batch at a time. */
  @Test
  void defaultsOfAdapters() throws IOException {
    OnnxModel injected =
        LoraInjector.inject(
            Oracle.of("tiny-roberta").model(),
            new InjectionOptions(
                Pattern.compile("query|output"), 8, 8, InjectionOptions.DEFAULT_HEAD, 0));
    Path model = folder.resolve("model.lora.onnx");
    OnnxFile.write(injected, model, false);
    List<int[]> rows = rows(37);
    Path data = folder.resolve("train.jsonl");
    StringBuilder lines = new StringBuilder();
    for (int[] row : rows) {
      lines.append(line(row, Integer.toString(row[0] % 2)));
    }
    Files.writeString(data, lines);
    List<JsonNode> logged = train(model, "--data", data);

    Engines engines =
        new Engines(
            injected,
            TrainableSelection.of(Method.LORA).values(injected),
            CrossEntropyLoss.plain(),
            new Optimization(AdamW.ofTrainer(), 1, LoraDropout.NONE),
            1,
            1,
            0,
            new Sessions(OrtRuntime.ofThisProcess(), 1));
    List<Double> losses = new ArrayList<>();
    try (Engines.Opened opened = engines.open(EngineKind.GRAPH, null, 1, null, l -> {})) {
      for (int epoch = 0; epoch < 3; epoch++) {
        for (List<Integer> batch : shuffled(rows, 8, epoch)) {
          double rate = 5e-4 * PlainTraining.linear(losses.size(), 0, 15);
          losses.add(opened.engine().step(padded(rows, batch), rate).loss());
        }
      }
    }
    checkLogged(losses, 5e-4, logged);
  }

  private void checkLogged(List<Double> losses, double peak, List<JsonNode> logged) {
    int before = 0;
    for (JsonNode line : logged) {
      int step = line.get("step").asInt();
      double mean =
          losses.subList(before, step).stream().mapToDouble(l -> l).average().orElseThrow();
      assertEquals(mean, line.get("loss").asDouble(), 1e-5);
      assertEquals(
          peak * (losses.size() - step + 1) / losses.size(),
          line.get("learningRate").asDouble(),
          1e-12);
      assertEquals(3.0 * step / losses.size(), line.get("epoch").asDouble(), 1e-12);
      before = step;
    }
    assertEquals(losses.size(), before);
  }

  private static List<int[]> rows(int count) {
    Random random = new Random(8);
    List<int[]> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      rows.add(random.ints(2 + random.nextInt(8), 4, 200).toArray());
    }
    return rows;
  }

  /** Epochs as {@link io.github.loragraph.data.BatchSource} shuffles them with the seed 0. */
  private static List<List<Integer>> shuffled(List<int[]> rows, int batchSize, int epoch) {
    Random seeds = new Random(0);
    for (int i = 0; i < epoch; i++) {
      seeds.nextLong();
    }
    Random random = new Random(seeds.nextLong());
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      order.add(i);
    }
    Collections.shuffle(order, random);
    order.sort(Comparator.comparingInt(i -> rows.get(i).length));
    List<List<Integer>> batches = new ArrayList<>();
    for (int i = 0; i < order.size(); i += batchSize) {
      batches.add(order.subList(i, Math.min(order.size(), i + batchSize)));
    }
    Collections.shuffle(batches, random);
    return batches;
  }

  /** For RoBERTa, whose padding is 1. */
  private static List<HostTensor> padded(List<int[]> rows, List<Integer> batch) {
    int longest = batch.stream().mapToInt(i -> rows.get(i).length).max().orElseThrow();
    long[] ids = new long[batch.size() * longest];
    long[] mask = new long[ids.length];
    long[] labels = new long[batch.size()];
    Arrays.fill(ids, 1);
    for (int i = 0; i < labels.length; i++) {
      int[] row = rows.get(batch.get(i));
      for (int j = 0; j < row.length; j++) {
        ids[i * longest + j] = row[j];
        mask[i * longest + j] = 1;
      }
      labels[i] = row[0] % 2;
    }
    return List.of(
        Gradients.longs("input_ids", ids, labels.length, longest),
        Gradients.longs("attention_mask", mask, labels.length, longest),
        Gradients.longs("labels", labels, labels.length));
  }

  private static String line(int[] ids, String label) {
    return "{\"input_ids\":%s,\"label\":%s}\n".formatted(Arrays.toString(ids), label);
  }

  private List<JsonNode> train(Object... arguments) throws IOException {
    List<Object> all = new ArrayList<>(List.of("train"));
    all.addAll(List.of(arguments));
    all.addAll(List.of("--threads", 1, "--force", "-o", folder.resolve("run")));
    Cli.json(all.toArray());
    List<JsonNode> logged = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve("run").resolve("metrics.jsonl"))) {
      logged.add(JSON.readTree(line));
    }
    return logged;
  }

  /** Batches that make up a step are one batch, in every task, also where the last are fewer. */
  @ParameterizedTest
  @ValueSource(strings = {"classification", "regression", "multilabel", "token-classification"})
  void batchesOfAStepAreOneBatch(String task) throws IOException {
    Path model = model(task);
    Path data = data(task, 16, 0);
    List<Object> options =
        List.of(
            model,
            "--data",
            data,
            "--method",
            "full",
            "--task",
            task,
            "--lr",
            "1e-3",
            "--epochs",
            3,
            "--weight-decay",
            "0.1",
            "--log-every",
            1,
            "--no-shuffle");
    List<JsonNode> large = train(with(options, "--batch-size", 6));
    List<JsonNode> small = train(with(options, "--batch-size", 2, "--accumulate", 3));
    List<JsonNode> together =
        train(with(options, "--batch-size", 2, "--accumulate", 3, "--steps-per-call", 7));
    assertEquals(9, large.size());
    assertEquals(9, small.size());
    for (int i = 0; i < large.size(); i++) {
      assertEquals(large.get(i).get("loss").asDouble(), small.get(i).get("loss").asDouble(), 2e-5);
      assertEquals(
          large.get(i).get("gradientNorm").asDouble(),
          small.get(i).get("gradientNorm").asDouble(),
          1e-4);
      assertEquals(small.get(i).get("loss"), together.get(i).get("loss"));
      assertEquals(
          large.get(i).get("learningRate").asDouble(),
          small.get(i).get("learningRate").asDouble(),
          1e-12);
    }
  }

  private static Object[] with(List<Object> options, Object... more) {
    List<Object> all = new ArrayList<>(options);
    all.addAll(List.of(more));
    return all.toArray();
  }

  private Path model(String task) {
    int outputs = task.equals("regression") ? 1 : 3;
    OnnxModel model = new ReferenceArchitecture(16, 1, 2, 32, 40, 40, outputs).model(0);
    Path file = folder.resolve(task + ".onnx");
    if (!task.equals("token-classification")) {
      OnnxFile.write(model, file, true);
      return file;
    }
    OnnxFile.write(Encoders.of(model, 16), file, true);
    Path head = folder.resolve("head");
    Cli.json("add-head", file, "--task", task, "--labels", "0,1,2", "-o", head, "--force");
    return head;
  }

  private Path data(String task, int count, int ignored) throws IOException {
    Random random = new Random(2);
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < count; i++) {
      int[] ids = random.ints(2 + random.nextInt(6), 4, 40).toArray();
      String label =
          switch (task) {
            case "classification" -> Integer.toString(ids[0] % 3);
            case "regression" -> Double.toString(ids[0] / 10.0);
            case "multilabel" -> Arrays.toString(new int[] {ids[0] % 2, ids[1] % 2, 1});
            default ->
                Arrays.toString(
                    Arrays.stream(ids).map(id -> id % 4 == 3 ? -100 : id % 4).toArray());
          };
      lines.append(line(ids, i < ignored ? label.replaceAll("-?\\d+", "-100") : label));
    }
    return Files.writeString(folder.resolve(task + ".jsonl"), lines);
  }

  /** A step without a label that counts is said and has no gradient, instead of no number. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void whereNothingCounts(int accumulate) throws IOException {
    Path model = model("token-classification");
    Path data = data("token-classification", 8, 4);
    Cli run =
        Cli.run(
            "train",
            model,
            "--data",
            data,
            "--method",
            "full",
            "--task",
            "token-classification",
            "--batch-size",
            4 / accumulate,
            "--accumulate",
            accumulate,
            "--epochs",
            2,
            "--no-shuffle",
            "--log-every",
            1,
            "-o",
            folder.resolve("run"));
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(1, run.err().split("no label that counts", -1).length - 1, run.err());
    List<String> lines = Files.readAllLines(folder.resolve("run").resolve("metrics.jsonl"));
    assertEquals(0, JSON.readTree(lines.get(0)).get("loss").asDouble());
    assertEquals(0, JSON.readTree(lines.get(0)).get("gradientNorm").asDouble());
    assertTrue(JSON.readTree(lines.get(1)).get("loss").asDouble() > 0.1);
  }

  /** Epochs end where they end, and steps beside epochs are said. */
  @Test
  void stepsAndEpochs() throws IOException {
    Path model = model("classification");
    Path data = data("classification", 6, 0);
    assertEquals(2, trainFully(model, data, 2, "--epochs", 2, "--accumulate", 16).size());
    assertEquals(3, trainFully(model, data, 2, "--epochs", 2.5, "--accumulate", 16).size());
    assertEquals(5, trainFully(model, data, 2, "--steps", 5).size());
    assertEquals(5, trainFully(model, data, 2, "--steps", 5, "--steps-per-call", 9_999_999).size());
    assertSaid("the run ends with the epochs", 6, model, data, "--epochs", 2, "--steps", 9);
    assertSaid("the run ends with the steps", 4, model, data, "--epochs", 2, "--max-steps", 4);
    assertSaid("--warmup-ratio 0.5", 9, model, data, "--warmup", "0.5");
    assertSaid("--warmup-steps 2", 9, model, data, "--warmup", "2");
    assertSaid("has no warm-up", 9, model, data, "--schedule", "constant", "--warmup-steps", 2);
    assertSaid("does not reach", 9, model, data, "--warmup-steps", 20);
    assertSaid("the steps count", 9, model, data, "--warmup-steps", 2, "--warmup-ratio", "0.5");
    String plain = said(9, model, data);
    for (String word : List.of("warm", "the run ends")) {
      assertFalse(plain.contains(word), plain);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"NaN", "-1", "Infinity"})
  void aGradientNormThatIsNone(String norm) throws IOException {
    Cli run =
        Cli.run(
            "train",
            model("classification"),
            "--data",
            data("classification", 6, 0),
            "--method",
            "full",
            "--max-grad-norm",
            norm,
            "-o",
            folder.resolve("run"));
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("maximum gradient norm of"), run.err());
  }

  private List<JsonNode> trainFully(Path model, Path data, int batchSize, Object... more)
      throws IOException {
    List<Object> options =
        List.of(
            model, "--data", data, "--method", "full", "--batch-size", batchSize, "--log-every", 1);
    return train(with(options, more));
  }

  private void assertSaid(String words, int steps, Path model, Path data, Object... more)
      throws IOException {
    String said = said(steps, model, data, more);
    assertEquals(1, said.lines().filter(line -> line.contains(words)).count(), said);
  }

  private String said(int steps, Path model, Path data, Object... more) throws IOException {
    List<Object> options =
        List.of("train", model, "--data", data, "--method", "full", "--batch-size", 2);
    Cli run =
        Cli.run(
            with(
                List.of(with(options, more)),
                "--log-every",
                1,
                "--force",
                "-o",
                folder.resolve("run")));
    assertEquals(0, run.exitCode(), run.err());
    assertEquals(steps, Files.readAllLines(folder.resolve("run").resolve("metrics.jsonl")).size());
    return run.err();
  }

  /** What a run has written is a configuration, and so are older ones and Trainer's names. */
  @Test
  void configurations() throws IOException {
    Path model = model("classification");
    Path data = data("classification", 6, 0);
    Path config =
        Files.writeString(
            folder.resolve("old.yaml"),
            """
            method: full
            batchSize: 2
            epochs: 1.0
            warmup: 0.5
            schedule: LINEAR
            log-every: 1
            """);
    List<JsonNode> old = train(model, "--data", data, "--config", config);
    assertEquals(3, old.size());
    assertEquals(0, old.get(0).get("learningRate").asDouble());
    Path trainer =
        Files.writeString(
            folder.resolve("trainer.yaml"),
            """
            method: full
            per_device_train_batch_size: 2
            num_train_epochs: 1.0
            warmup_ratio: 0.5
            lr_scheduler_type: linear
            learning_rate: 5e-5
            log_every: 1
            """);
    assertEquals(losses(old), losses(train(model, "--data", data, "--config", trainer)));
    Path own = Files.copy(folder.resolve("run/config.yaml"), folder.resolve("own.yaml"));
    assertEquals(losses(old), losses(train("--config", own)));
  }

  private static List<String> losses(List<JsonNode> logged) {
    return logged.stream().map(line -> line.get("loss") + " " + line.get("learningRate")).toList();
  }

  /** As {@code Trainer.get_decay_parameter_names} has it. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "minilm-11",
        "distilbert-18-folded",
        "electra-12-folded",
        "rmsnorm-12-training",
        "albert-17"
      })
  void biasesAndNormsDoNotDecay(String export) throws IOException {
    OnnxModel model = new Export(export).model();
    Map<String, String> names = new TreeMap<>();
    Parameters.of(model).forEach(p -> names.put(p.value(), p.name()));
    TrainingGraph training =
        TrainingGraph.build(
            model,
            names.keySet(),
            CrossEntropyLoss.plain(),
            new SessionShapeInference(OrtRuntime.ofThisProcess()));
    assertFalse(training.undecayed().isEmpty());
    for (String value : training.gradients().keySet()) {
      String name = names.get(value);
      boolean exempt = name.endsWith("bias") || name.toLowerCase(Locale.ROOT).contains("norm");
      assertEquals(exempt, training.undecayed().contains(value), name);
    }
    assertEquals(Set.of(), AdamW.defaults().exempt(training));
    assertEquals(training.gradients().keySet(), AdamW.ofTrainer().exempt(training));
  }

  /** Where exporters have left no names, the part that a parameter has tells. */
  @Test
  void withoutNamesThePartTells() {
    OnnxModel model = new Export("minilm-11").model();
    Graph graph = model.graph();
    Set<String> anonymous = new TreeSet<>();
    Set<String> expected = new TreeSet<>();
    for (Parameter parameter : Parameters.of(model)) {
      String value = parameter.value();
      if (parameter.name().contains("LayerNorm")) {
        String name =
            "onnx::" + (parameter.name().endsWith("bias") ? "Add_" : "Mul_") + value.hashCode();
        Tensor tensor = graph.initializer(value);
        graph.removeInitializer(value);
        graph.putInitializer(tensor.withName(name));
        graph.redirectConsumers(value, name);
        expected.add(name);
        anonymous.add(name);
      } else {
        anonymous.add(value);
      }
    }
    TrainingGraph training =
        TrainingGraph.build(
            model,
            anonymous,
            CrossEntropyLoss.plain(),
            new SessionShapeInference(OrtRuntime.ofThisProcess()));
    expected.retainAll(training.gradients().keySet());
    assertTrue(expected.size() > 3);
    assertTrue(
        training.undecayed().containsAll(expected), () -> expected + " " + training.undecayed());
  }
}
