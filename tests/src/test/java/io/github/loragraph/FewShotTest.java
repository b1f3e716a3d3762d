package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.data.Values;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.evaluation.ModelSession;
import io.github.loragraph.fewshot.ExamplePairs;
import io.github.loragraph.fewshot.HeadFit;
import io.github.loragraph.lora.InitializerUntying;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.task.LossOptions;
import io.github.loragraph.task.Tasks;
import io.github.loragraph.trainer.TrainedGraph;
import io.github.loragraph.trainer.TrainerSettings;
import io.github.loragraph.trainer.TrainingData;
import io.github.loragraph.trainer.TrainingJob;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CosineSimilarityLoss;
import io.github.loragraph.training.EncoderHead;
import io.github.loragraph.training.EvaluationGraph;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Optimization;
import io.github.loragraph.training.SentenceEmbedding;
import io.github.loragraph.training.Towers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Pairs for the encoder, then a head for its vectors: the whole run, of a tiny classifier. */
@Timeout(600)
class FewShotTest {
  private static final long SEED = 4;
  private static final int PER_CLASS = 6;
  private static final int ITERATIONS = 5;
  private static final double LEARNING_RATE = 1e-2;

  @TempDir Path folder;
  private final List<String> notes = new ArrayList<>();
  private Path model;
  private Path data;
  private Path heldOut;

  TrainingArguments.Engine engine() {
    return TrainingArguments.Engine.GRAPH;
  }

  @BeforeEach
  void prepare() throws IOException {
    Trainings trainings = new Trainings(folder);
    model = trainings.model();
    data = file("few.jsonl", PER_CLASS, 1);
    heldOut = file("held-out.jsonl", 20, 2);
  }

  /** Rows of several lengths, of which every second token is one of its class. */
  private Path file(String name, int perClass, long seed) throws IOException {
    Random random = new Random(seed);
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 2 * perClass; i++) {
      int[] ids = random.ints(3 + random.nextInt(8), 50, 200).toArray();
      ids[0] = 0;
      for (int place = 1; place < ids.length; place += 2) {
        ids[place] = (i % 2 == 0 ? 10 : 30) + random.nextInt(2);
      }
      lines.append("{\"input_ids\":%s,\"label\":%d}\n".formatted(Arrays.toString(ids), i % 2));
    }
    return Files.writeString(folder.resolve(name), lines);
  }

  private TrainingArguments.Builder arguments() {
    return TrainingArguments.builder()
        .fewShot(true)
        .fewShotIterations(ITERATIONS)
        .engine(engine())
        .device(Device.CPU)
        .threads(1)
        .learningRate(LEARNING_RATE)
        .loggingSteps(2)
        .saveSteps(2)
        .seed(SEED);
  }

  private Model open() {
    return Model.open(model).withNotes(notes::add);
  }

  private static List<JsonNode> lines(Path run) throws IOException {
    ObjectMapper json = new ObjectMapper();
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      lines.add(json.readTree(line));
    }
    return lines;
  }

  /** The lines but for what depends on the clock. */
  private static List<String> figures(Path run) throws IOException {
    return Files.readAllLines(run.resolve("metrics.jsonl")).stream()
        .map(line -> line.replaceAll(",\"samplesPerSecond\":[^,}]*", ""))
        .toList();
  }

  private static byte[] bytes(Path run) throws IOException {
    return Runs.learned(run);
  }

  @Test
  void theRunIsAnOrdinaryClassifierWithAdapters() throws IOException {
    Path run = folder.resolve("run");
    JsonNode trained =
        Cli.json(
            "train",
            model,
            "--data",
            data,
            "--eval",
            heldOut,
            "--few-shot",
            "--few-shot-iterations",
            ITERATIONS,
            "--lr",
            LEARNING_RATE,
            "--epochs",
            8,
            "--engine",
            engine().name().toLowerCase(java.util.Locale.ROOT).replace('_', '-'),
            "-o",
            run);
    // 12 examples are each the first of 5 pairs of both kinds: 120 pairs, 8 batches of 16 an epoch.
    assertEquals(64, trained.get("steps").asLong());
    assertTrue(trained.get("eval").get("accuracy").asDouble() > 0.9, trained.toString());
    List<JsonNode> lines = lines(run);
    assertTrue(lines.get(0).get("loss").asDouble() > 2 * lines.get(5).get("loss").asDouble());
    JsonNode head = lines.get(lines.size() - 1);
    assertEquals("head", head.get("stage").asText());
    assertEquals(2 * PER_CLASS, head.get("headExamples").asInt());
    assertTrue(head.get("headLoss").asDouble() < 0.2, head.toString());

    JsonNode evaluated = Cli.json("eval", run, "--data", heldOut);
    assertEquals(
        trained.get("eval").get("accuracy").asDouble(), evaluated.get("accuracy").asDouble(), 1e-9);
    assertEquals(
        trained.get("eval").get("loss").asDouble(), evaluated.get("loss").asDouble(), 1e-4);
    Cli.json("merge", run, "-o", folder.resolve("merged.onnx"));
    assertEquals(
        evaluated.get("loss").asDouble(),
        Cli.json("eval", folder.resolve("merged.onnx"), "--data", heldOut).get("loss").asDouble(),
        1e-4);
    String config = Files.readString(run.resolve("config.yaml"));
    assertTrue(config.contains("fewShot: true\nfewShotIterations: 5\n"), config);
    assertTrue(config.contains("batchSize: 16\n"), config);
  }

  /** What is neither adapter nor head stays as it is to the bit. */
  @Test
  void adaptersAndHeadAloneAreTrained() {
    OnnxModel before = open().onnx();
    OnnxModel after = open().train(Dataset.file(data), arguments().build()).model().onnx();
    Set<String> changed = new LinkedHashSet<>();
    before
        .graph()
        .initializers()
        .forEach(
            (name, tensor) -> {
              Tensor now = after.graph().initializer(name);
              if (now == null || !now.bytes().equals(tensor.bytes())) {
                changed.add(name);
              }
            });
    assertEquals(TrainableSelection.of(Method.LORA).values(before), changed);
    assertTrue(
        notes.contains(
            "few-shot: 120 pairs of 12 examples, 60 of one class and 60 of two; what enters the head, '%s' (32 numbers), is compared"
                .formatted(parts(before).value())),
        notes.toString());
  }

  private static EncoderHead parts(OnnxModel model) {
    return EncoderHead.of(
        answer(model).answering(),
        TrainableSelection.of(Method.HEAD).values(model),
        new SessionShapeInference(OrtRuntime.ofThisProcess()));
  }

  private static Answer answer(OnnxModel model) {
    return Answer.of(
        model,
        List.of(Tasks.CLASSIFICATION),
        new SessionShapeInference(OrtRuntime.ofThisProcess()));
  }

  /** The two stages one after the other, out of the parts that they are made of. */
  @Test
  void theRunIsItsTwoStages() throws IOException {
    OnnxModel before = open().onnx();
    Tensors expected = byHand(before);
    OnnxModel after = open().train(Dataset.file(data), arguments().build()).model().onnx();
    for (Map.Entry<String, Tensor> entry : expected.values().entrySet()) {
      Tensor trained = after.graph().initializer(entry.getKey());
      assertNotEquals(before.graph().initializer(entry.getKey()).bytes(), trained.bytes());
      assertEquals(entry.getValue().bytes(), trained.bytes(), entry.getKey());
    }
  }

  private record Tensors(Map<String, Tensor> values) {}

  private Tensors byHand(OnnxModel before) throws IOException {
    ObjectMapper json = new ObjectMapper();
    List<io.github.loragraph.data.Example> examples = new ArrayList<>();
    for (String line : Files.readAllLines(data)) {
      JsonNode row = json.readTree(line);
      int[] ids = new int[row.get("input_ids").size()];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = row.get("input_ids").get(i).asInt();
      }
      examples.add(
          new io.github.loragraph.data.Example(
              Map.of("input_ids", Values.of(ids), "attention_mask", Values.ones(ids.length)),
              Values.scalar(row.get("label").asInt())));
    }
    EncoderHead parts = parts(before);
    Set<String> head = TrainableSelection.of(Method.HEAD).values(before);
    TrainerSettings settings =
        TrainerSettings.builder()
            .epochs(1.0)
            .batchSize(16)
            .learningRate(LEARNING_RATE)
            .seed(SEED)
            .build();
    OrtRuntime runtime =
        engine() == TrainingArguments.Engine.GRAPH
            ? OrtRuntime.ofThisProcess()
            : OrtRuntime.open(OrtRuntime.Build.TRAINING);
    Sessions sessions = new Sessions(runtime, 1);
    SentenceEmbedding vectors =
        new SentenceEmbedding(
            parts.encoder(),
            Optional.empty(),
            false,
            false,
            parts.size(),
            parts.value(),
            List.of());
    Answer answer = answer(before);
    TrainingJob.Result tuned =
        TrainingJob.builder(
                before,
                new TrainingData(
                    Tasks.CLASSIFICATION,
                    ExamplePairs.draw(examples, ITERATIONS, SEED).forTowers(),
                    List.of(),
                    1))
            .trainable(parts.ofEncoder(TrainableSelection.of(Method.LORA).values(before)))
            .loss(new CosineSimilarityLoss())
            .graph(
                new TrainedGraph(
                    new Answer(answer.model(), answer.task(), answer.logits(), vectors),
                    Towers.of(parts.encoder()),
                    0))
            .optimization(
                new Optimization(
                    AdamW.ofTrainer(), TrainingJob.MAX_GRADIENT_NORM, LoraDropout.NONE))
            .settings(settings)
            .engine(EngineKind.valueOf(engine().name()))
            .sessions(sessions)
            .build()
            .run(List.of(), null);
    HeadFit fit =
        new HeadFit(
            parts,
            head,
            Tasks.CLASSIFICATION,
            Tasks.CLASSIFICATION.loss(LossOptions.PLAIN, examples),
            1,
            sessions);
    Map<String, Tensor> values;
    try (Weights weights = new Weights();
        ModelSession session =
            new ModelSession(
                EvaluationGraph.of(parts.encoderOf(tuned.model()), Set.of()),
                sessions,
                weights,
                Map::of)) {
      values = fit.fit(session, examples).values();
    }
    OnnxModel whole = InitializerUntying.withValues(tuned.model(), values);
    return new Tensors(
        TrainableSelection.of(Method.LORA).values(before).stream()
            .collect(Collectors.toMap(v -> v, v -> whole.graph().initializer(v))));
  }

  /** Stops a training after a step. */
  private record StopAfter(long step, long[] seen) implements TrainingListener {
    StopAfter(long step) {
      this(step, new long[1]);
    }

    @Override
    public void onStepEnd(StepMetrics metrics) {
      seen[0] = metrics.step();
    }

    @Override
    public boolean shouldTrainingStop() {
      return seen[0] >= step;
    }
  }

  /** In the midst of the pairs, and between the pairs and the head. */
  @Test
  void aRunThatWasStoppedGoesOnToTheSameBytes() throws IOException {
    Dataset training = Dataset.file(data);
    Dataset measured = Dataset.file(heldOut);
    TrainingArguments.Builder arguments = arguments().loraDropout(0.1).evalSteps(3);
    Path straight = folder.resolve("straight");
    TrainingResult whole = open().train(training, measured, arguments.outputDir(straight).build());
    assertEquals(8, whole.steps());
    Path again = folder.resolve("again");
    open().train(training, measured, arguments.outputDir(again).build());
    assertArrayEquals(bytes(straight), bytes(again));
    for (long step : new long[] {3, 8}) {
      Path stopped = folder.resolve("stopped-" + step);
      TrainingArguments inIt = arguments.outputDir(stopped).build();
      StopAfter stop = new StopAfter(step);
      assertThrows(
          TrainingCancelledException.class, () -> open().train(training, measured, inIt, stop));
      assertEquals(RunState.STOPPED, RunState.of(stopped));
      Cli.json("train", "--resume", stopped);
      assertArrayEquals(bytes(straight), bytes(stopped), "stopped after step " + step);
      assertEquals(figures(straight), figures(stopped), "stopped after step " + step);
    }
  }

  /** A wish to stop while the head is fitted leaves a run that goes on with the head. */
  @Test
  void stoppedBeforeTheHead() throws IOException {
    Dataset training = Dataset.file(data);
    Path straight = folder.resolve("straight");
    open().train(training, arguments().outputDir(straight).build());
    Path stopped = folder.resolve("stopped");
    TrainingListener afterTheSteps =
        new TrainingListener() {
          private int asked;
          private boolean last;

          @Override
          public void onStepEnd(StepMetrics metrics) {
            last = metrics.step() == metrics.totalSteps();
          }

          @Override
          public boolean shouldTrainingStop() {
            // The trainer asks after the checkpoint of the last step; what asks then is the head.
            return last && ++asked > 1;
          }
        };
    assertThrows(
        TrainingCancelledException.class,
        () -> open().train(training, arguments().outputDir(stopped).build(), afterTheSteps));
    assertEquals(RunState.STOPPED, RunState.of(stopped));
    open().train(training, arguments().outputDir(stopped).resumeFromCheckpoint(true).build());
    assertArrayEquals(bytes(straight), bytes(stopped));
    assertEquals(figures(straight), figures(stopped));
  }

  @Test
  void examplesOfEachClassAreDrawnByTheSeed() throws IOException {
    Path many = file("many.jsonl", 30, 7);
    TrainingArguments.Builder arguments = arguments().maxTrainSamplesPerClass(4).maxSteps(2);
    open().train(Dataset.file(many), arguments.build());
    assertTrue(
        notes.stream().anyMatch(n -> n.startsWith("few-shot: 80 pairs of 8 examples, 40 of one")),
        notes.toString());
    assertTrue(notes.stream().noneMatch(n -> n.contains("plain training")), notes.toString());
    open().train(Dataset.file(many), arguments.maxTrainSamplesPerClass(40).build());
    assertTrue(
        notes.contains("the class '0' has 30 examples, and 40 are asked for: all of it are taken"),
        notes.toString());
    // Plain training draws the same way.
    TrainingResult plain =
        open()
            .train(
                Dataset.file(many),
                TrainingArguments.builder()
                    .engine(engine())
                    .maxTrainSamplesPerClass(4)
                    .numTrainEpochs(1)
                    .build());
    assertEquals(1, plain.steps());
  }

  @Test
  void manyExamplesAndLonelyOnesAreSaid() throws IOException {
    open()
        .train(
            Dataset.file(file("many.jsonl", 65, 7)),
            arguments().fewShotIterations(1).maxSteps(1).build());
    assertTrue(
        notes.contains(
            "few-shot: a class has more than 64 examples ('0', '1'): with so many, plain training is often as good and takes fewer steps"),
        notes.toString());
    notes.clear();
    Path lonely =
        Files.writeString(
            folder.resolve("lonely.jsonl"),
            """
            {"input_ids":[0,10,5],"label":0}
            {"input_ids":[0,11,5,6],"label":0}
            {"input_ids":[0,30,5],"label":1}
            """);
    open().train(Dataset.file(lonely), arguments().maxSteps(1).build());
    assertTrue(
        notes.contains(
            "few-shot: a class has one example alone, which is in no pair of one class ('1'): give it two or more"),
        notes.toString());
  }

  private static void refused(String words, org.junit.jupiter.api.function.Executable training) {
    String message = assertThrows(LoraGraphException.class, training).getMessage();
    assertTrue(message.contains(words), message);
    assertEquals(1, message.lines().count(), message);
  }

  @Test
  void whatHasNoPairsIsRefused() throws IOException {
    Path one =
        Files.writeString(
            folder.resolve("one.jsonl"),
            "{\"input_ids\":[0,10,5],\"label\":1}\n{\"input_ids\":[0,11,5],\"label\":1}\n");
    refused(
        one + ": pairs of two classes need examples of two classes, and all 2 are of one",
        () -> open().train(Dataset.file(one), arguments().build()));
    refused(
        "few-shot training needs one class for each example (classification), and the task is multilabel",
        () -> open().train(Dataset.file(data), arguments().task(Task.MULTILABEL).build()));
    refused(
        "a training of the head alone",
        () -> arguments().method(TrainingArguments.Method.HEAD).build());
    refused("not possible: give 1 or more", () -> arguments().fewShotIterations(0).build());
    refused(
        "leave their number out", () -> arguments().fewShot(false).fewShotIterations(3).build());
    refused(
        "examples are drawn of each class or of all",
        () -> arguments().maxTrainSamples(3).maxTrainSamplesPerClass(3).build());
    Cli refused =
        Cli.run(
            "train", model, "--data", data, "--few-shot-iterations", 3, "-o", folder.resolve("x"));
    assertEquals(1, refused.exitCode());
    assertTrue(
        refused.err().contains("--few-shot-iterations counts the pairs of --few-shot"),
        refused.err());
  }

  /** All of the encoder is trained, as SetFit does. */
  @Test
  void theWholeEncoderMayBeTrained() {
    OnnxModel before = open().onnx();
    OnnxModel after =
        open()
            .train(
                Dataset.file(data),
                arguments().method(TrainingArguments.Method.FULL).learningRate(1e-3).build())
            .model()
            .onnx();
    for (String value : TrainableSelection.of(Method.FULL).values(before)) {
      Tensor now = after.graph().initializer(value);
      boolean same = now != null && now.bytes().equals(before.graph().constant(value).bytes());
      assertTrue(!same || value.contains("key.bias"), value);
    }
  }
}
