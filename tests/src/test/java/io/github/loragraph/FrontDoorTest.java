package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.NativeMemory;
import io.github.loragraph.task.Tasks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the package's documentation promises, through the front door. */
@Timeout(600)
class FrontDoorTest {
  private static final List<String> WORDS = List.of("good", "bad", "film", "the", "a", "strange");
  private static final InferenceArguments ONE_THREAD =
      InferenceArguments.builder().device(Device.CPU).threads(1).build();

  @TempDir Path folder;
  private Path plain;
  private final List<String> notes = new ArrayList<>();

  TrainingArguments.Engine engine() {
    return TrainingArguments.Engine.GRAPH;
  }

  private String engineName() {
    return engine().name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  @BeforeEach
  void makeModel() throws IOException {
    plain = folder.resolve("model");
    DataCommandsTest.makeModel(plain);
  }

  private Model adapted() {
    return Model.open(plain)
        .withNotes(notes::add)
        .inject(LoraConfig.builder().targetModules("query|value").rank(2).seed(3).build());
  }

  /** Texts of several lengths, which do not fill the last step of an epoch. */
  private static List<Example> examples(int count, long seed) {
    Random random = new Random(seed);
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      StringBuilder text = new StringBuilder(i % 2 == 0 ? "good" : "bad");
      for (int words = random.nextInt(7); words > 0; words--) {
        text.append(' ').append(WORDS.get(random.nextInt(WORDS.size())));
      }
      examples.add(Example.of(text.toString(), i % 2 == 0 ? "pos" : "neg"));
    }
    return examples;
  }

  private Path file(String name, List<Example> examples) throws IOException {
    StringBuilder lines = new StringBuilder("text\tlabel\n");
    for (Example example : examples) {
      lines.append(example.text().get()).append('\t').append(example.label().get()).append('\n');
    }
    return Files.writeString(folder.resolve(name), lines);
  }

  private TrainingArguments.Builder arguments() {
    return TrainingArguments.builder()
        .engine(engine())
        .device(Device.CPU)
        .threads(1)
        .numTrainEpochs(2)
        .trainBatchSize(4)
        .gradientAccumulationSteps(2)
        .learningRate(1e-2)
        .warmupRatio(0.2)
        .loraDropout(0.1)
        .loggingSteps(2)
        .evalSteps(3)
        .saveSteps(2)
        .seed(11);
  }

  @Test
  void aTrainingIsThatOfTheCommandLineToTheByte() throws IOException {
    List<Example> training = examples(27, 1);
    List<Example> heldOut = examples(9, 2);
    Path data = file("train.tsv", training);
    Path eval = file("eval.tsv", heldOut);
    Path injected = adapted().save(folder.resolve("model/model.lora.onnx"));
    Cli.json(
        "inject",
        plain,
        "--match",
        "query|value",
        "--rank",
        2,
        "--seed",
        3,
        "--standalone",
        "-o",
        folder.resolve("cli/x.onnx"));
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("cli/x.onnx")), Files.readAllBytes(injected));

    Path byCommand = folder.resolve("by-command");
    JsonNode result =
        Cli.json(
            "train",
            injected,
            "--data",
            data,
            "--eval",
            eval,
            "-o",
            byCommand,
            "--engine",
            engineName(),
            "--device",
            "cpu",
            "--threads",
            1,
            "--epochs",
            2,
            "--batch-size",
            4,
            "--accumulate",
            2,
            "--lr",
            "1e-2",
            "--warmup-ratio",
            "0.2",
            "--lora-dropout",
            "0.1",
            "--log-every",
            2,
            "--eval-every",
            3,
            "--checkpoint-every",
            2,
            "--seed",
            11);
    byte[] expected = Runs.learned(byCommand);

    TrainingResult ofFiles =
        Model.open(injected)
            .withNotes(notes::add)
            .train(
                Dataset.file(data),
                Dataset.file(eval),
                arguments().outputDir(folder.resolve("of-files")).build());
    assertArrayEquals(expected, Runs.learned(folder.resolve("of-files")));
    assertEquals(
        Files.readString(byCommand.resolve("config.yaml")),
        Files.readString(folder.resolve("of-files").resolve("config.yaml")));
    assertEquals(Trainings.figures(byCommand), Trainings.figures(folder.resolve("of-files")));
    assertEquals(result.get("evalLoss").asDouble(), ofFiles.evaluation().get().loss());

    TrainingResult ofProgram =
        adapted().train(Dataset.of(training.stream()), Dataset.of(heldOut), arguments().build());
    Path saved = ofProgram.model().save(folder.resolve("of-program"));
    Path same = Model.open(byCommand).save(folder.resolve("of-command"));
    assertArrayEquals(Files.readAllBytes(same), Files.readAllBytes(saved));
    assertEquals(ofFiles.evaluation(), ofProgram.evaluation());
    assertEquals(
        ofProgram.evaluation().get().loss(),
        ofProgram.model().evaluate(Dataset.of(heldOut), ONE_THREAD).loss(),
        1e-6);
  }

  /** Stops after a step, and hears of everything. */
  private static final class Recorder implements TrainingListener {
    private final long stopAfter;
    private final List<String> heard = new ArrayList<>();
    private final List<String> lines = new ArrayList<>();
    private long step;

    Recorder(long stopAfter) {
      this.stopAfter = stopAfter;
    }

    @Override
    public void onNote(String line) {
      heard.add("note");
      lines.add(line);
    }

    @Override
    public void onResume(long from) {
      heard.add("resume " + from);
    }

    @Override
    public void onTrainBegin(long totalSteps) {
      heard.add("begin " + totalSteps);
    }

    @Override
    public void onStepEnd(StepMetrics metrics) {
      step = metrics.step();
    }

    @Override
    public void onLog(StepMetrics metrics) {
      heard.add("log " + metrics.step());
    }

    @Override
    public void onEvaluate(long at, Evaluation evaluation) {
      heard.add("evaluate " + at);
    }

    @Override
    public void onSave(long at) {
      heard.add("save " + at);
    }

    @Override
    public void onTrainEnd() {
      heard.add("end");
    }

    @Override
    public boolean shouldTrainingStop() {
      return step == stopAfter;
    }
  }

  @Test
  void aTrainingThatWasStoppedGoesOnToTheSameBytes() throws IOException {
    Dataset training = Dataset.of(examples(27, 1));
    Dataset heldOut = Dataset.of(examples(9, 2)).withName("held-out");
    Path straight = folder.resolve("straight");
    Path stopped = folder.resolve("stopped");
    Recorder whole = new Recorder(-1);
    TrainingResult result =
        adapted().train(training, heldOut, arguments().outputDir(straight).build(), whole);
    assertEquals(8, result.steps());
    whole.heard.removeIf("note"::equals);
    assertEquals(
        List.of(
            "begin 8",
            "log 2",
            "save 2",
            "evaluate 3",
            "log 4",
            "save 4",
            "log 6",
            "save 6",
            "evaluate 6",
            "log 8",
            "save 8",
            "evaluate 8",
            "end"),
        whole.heard);

    TrainingCancelledException cancelled =
        assertThrows(
            TrainingCancelledException.class,
            () ->
                adapted()
                    .train(
                        training,
                        heldOut,
                        arguments().outputDir(stopped).build(),
                        new Recorder(5)));
    assertEquals(5, cancelled.step());
    assertEquals(stopped, cancelled.runFolder().get());
    TrainingArguments goOn = arguments().outputDir(stopped).resumeFromCheckpoint(true).build();
    refused(
        "'lr' is 0.01, and 0.5 is given",
        () -> adapted().train(training, heldOut, goOn.toBuilder().learningRate(0.5).build()));
    refused(
        "examples has changed since the run began",
        () -> adapted().train(Dataset.of(examples(27, 5)), heldOut, goOn));
    refused(
        "(changed) has changed since the run began",
        () ->
            Model.open(plain)
                .inject(LoraConfig.builder().targetModules("query").rank(2).build())
                .train(training, heldOut, goOn));
    Recorder rest = new Recorder(-1);
    TrainingResult resumed = adapted().train(training, heldOut, goOn, rest);
    assertEquals("resume 5", rest.heard.stream().filter(h -> !h.equals("note")).findFirst().get());
    assertArrayEquals(Runs.learned(straight), Runs.learned(stopped));
    assertEquals(Trainings.figures(straight), Trainings.figures(stopped));
    assertEquals(result.evaluation(), resumed.evaluation());
    Cli command = Cli.run("train", "--resume", stopped);
    assertTrue(command.err().contains("is finished"), command.err());
  }

  @Test
  void aServiceGoesOnWhereThereIsSomethingToGoOnWith() throws IOException {
    Dataset training = Dataset.of(examples(27, 1));
    Path run = folder.resolve("run");
    Supplier<TrainingArguments> whatever =
        () ->
            arguments()
                .evalSteps(0)
                .outputDir(run)
                .resumeFromCheckpoint(RunState.of(run) == RunState.STOPPED)
                .build();
    assertEquals(RunState.NONE, RunState.of(run));
    assertEquals(RunState.NONE, RunState.of(plain), "the folder of a model is no run");
    Files.createDirectory(run);
    assertEquals(RunState.NONE, RunState.of(run));
    List<RunState> meanwhile = new ArrayList<>();
    TrainingListener looking =
        new TrainingListener() {
          @Override
          public void onStepEnd(StepMetrics metrics) {
            meanwhile.add(RunState.of(run));
          }

          @Override
          public boolean shouldTrainingStop() {
            return meanwhile.size() == 3;
          }
        };
    assertThrows(
        TrainingCancelledException.class, () -> adapted().train(training, whatever.get(), looking));
    assertEquals(List.of(RunState.STOPPED, RunState.STOPPED, RunState.STOPPED), meanwhile);
    assertEquals(RunState.STOPPED, RunState.of(run));
    refused(
        "is a run that was stopped",
        () -> adapted().train(training, arguments().evalSteps(0).outputDir(run).build()));

    TrainingResult result = adapted().train(training, whatever.get());
    assertEquals(8, result.steps());
    assertEquals(engine(), result.engine());
    assertEquals(RunState.FINISHED, RunState.of(run));
    refused("exists already", () -> adapted().train(training, whatever.get()));
    refused(
        "is finished",
        () ->
            adapted()
                .train(training, whatever.get().toBuilder().resumeFromCheckpoint(true).build()));
    assertArrayEquals(
        OnnxFile.serialize(
            adapted().train(training, arguments().evalSteps(0).build()).model().onnx(), t -> false),
        OnnxFile.serialize(Model.open(run).onnx(), t -> false));
  }

  @Test
  void nothingIsSaidToGoOnBeforeAllWasFoundToBeThatOfTheRun() {
    Dataset training = Dataset.of(examples(27, 1));
    Dataset heldOut = Dataset.of(examples(9, 2)).withName("held-out");
    TrainingArguments begin = arguments().outputDir(folder.resolve("stopped")).build();
    assertThrows(
        TrainingCancelledException.class,
        () -> adapted().train(training, heldOut, begin, new Recorder(5)));
    TrainingArguments goOn = begin.toBuilder().resumeFromCheckpoint(true).build();
    Recorder recorder = new Recorder(-1);
    refused(
        "examples has changed since the run began",
        () -> adapted().train(Dataset.of(examples(27, 5)), heldOut, goOn, recorder));
    refused(
        "held-out has changed since the run began",
        () ->
            adapted()
                .train(training, Dataset.of(examples(9, 3)).withName("held-out"), goOn, recorder));
    refused(
        "'seed' is 11, and 12 is given",
        () -> adapted().train(training, heldOut, goOn.toBuilder().seed(12).build(), recorder));
    refused("there are no held-out examples", () -> adapted().train(training, goOn, recorder));
    refused(
        "has a checksum of 'eval', which is not given now",
        () -> adapted().train(training, goOn.toBuilder().evalSteps(0).build(), recorder));
    refused(
        "has the label 'unheard of', which the model's head does not know",
        () ->
            adapted()
                .train(
                    Dataset.of(List.of(Example.of("good", "unheard of"))),
                    heldOut,
                    goOn,
                    recorder));
    assertEquals(List.of(), recorder.heard);
    assertEquals(List.of(), recorder.lines);

    adapted().train(training, heldOut, goOn, recorder);
    assertTrue(recorder.lines.get(0).startsWith("training "), recorder.lines.toString());
    assertEquals("going on after step 5", recorder.lines.get(1));
    recorder.heard.removeIf("note"::equals);
    assertEquals(List.of("resume 5", "begin 8"), recorder.heard.subList(0, 2));
  }

  /** Where it was unpacked to tells nobody anything. */
  @Test
  void aBundledModelIsCalledByItsName() {
    Model encoder = Model.bundled(BundledModel.ALL_MINILM_L6_V2).withNotes(notes::add);
    assertEquals("all-MiniLM-L6-v2", encoder.toString());
    LoraGraphException refused = assertThrows(LoraGraphException.class, encoder::predictor);
    assertTrue(refused.getMessage().startsWith("all-MiniLM-L6-v2: the model has no head"));
    Dataset training = Dataset.of(examples(9, 1));
    Model headed = encoder.addHead(HeadConfig.of(Task.CLASSIFICATION, training));
    assertEquals("all-MiniLM-L6-v2 (changed)", headed.toString());
    headed.train(
        training,
        TrainingArguments.builder().method(TrainingArguments.Method.HEAD).maxSteps(1).build());
    assertTrue(
        notes.stream().anyMatch(note -> note.contains("of all-MiniLM-L6-v2 on 9 examples")),
        notes::toString);
    assertFalse(notes.stream().anyMatch(note -> note.contains("model.onnx")), notes::toString);
  }

  @Test
  void aNoteIsNotLoggedBesideWhereAListenerTakesIt() {
    Dataset training = Dataset.of(examples(9, 1));
    TrainingArguments once = arguments().evalSteps(0).numTrainEpochs(1).build();
    LoraConfig adapters = LoraConfig.builder().targetModules("query").rank(2).build();
    List<String> logged = new ArrayList<>();
    Set<String> sources = new HashSet<>();
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord entry) {
            logged.add(entry.getMessage());
            sources.add(entry.getSourceClassName() + " " + entry.getSourceMethodName());
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger logger = Logger.getLogger("io.github.loragraph");
    boolean before = logger.getUseParentHandlers();
    logger.setUseParentHandlers(false);
    logger.addHandler(handler);
    try {
      Model model = Model.open(plain).inject(adapters);
      logged.clear();
      TrainingListener deaf = new TrainingListener() {};
      assertEquals(model.train(training, once, deaf).notes(), logged);
      assertTrue(logged.get(0).startsWith("training "), logged.toString());
      assertEquals(Set.of("io.github.loragraph.Model log"), sources);

      logged.clear();
      Recorder hearing = new Recorder(-1);
      assertEquals(model.train(training, once, deaf, hearing).notes(), hearing.lines);
      assertEquals(List.of(), logged);

      Recorder another = new Recorder(-1);
      notes.clear();
      assertEquals(
          model.withNotes(notes::add).train(training, once, another).notes(), another.lines);
      assertEquals(another.lines, notes);
      assertEquals(List.of(), logged);
    } finally {
      logger.removeHandler(handler);
      logger.setUseParentHandlers(before);
    }
  }

  /** An encoder without a head, with the tokenizer of the small model. */
  private Model encoder() throws IOException {
    Path encoder = Files.createDirectories(folder.resolve("encoder"));
    OnnxModel states = Encoders.of(new ReferenceArchitecture(32, 2, 2, 64, 40, 40, 2).model(0), 32);
    OnnxFile.write(states, encoder.resolve("model.onnx"), true);
    Files.copy(
        plain.resolve("tokenizer.json"),
        encoder.resolve("tokenizer.json"),
        StandardCopyOption.REPLACE_EXISTING);
    return Model.open(encoder).withNotes(notes::add);
  }

  private static List<String> namesFor(Task task) {
    return task.equals(Task.REGRESSION) ? List.of() : List.of("low", "long");
  }

  private static void hasNone(Task task, Executable getter) {
    IllegalStateException none = assertThrows(IllegalStateException.class, getter);
    assertTrue(none.getMessage().contains("an answer of " + task), none.getMessage());
  }

  /** Those with a head that answer single texts: rerankers answer pairs, and have their tests. */
  static List<Task> tasksWithHeads() {
    return Task.values().stream()
        .filter(task -> Tasks.named(task.name()).orElseThrow().refusalOfHead().isEmpty())
        .filter(task -> !Tasks.named(task.name()).orElseThrow().ranks())
        .toList();
  }

  @ParameterizedTest
  @MethodSource("tasksWithHeads")
  void anAnswerHasWhatItsTaskHasAndRefusesTheRest(Task task) throws IOException {
    Model model = encoder().addHead(HeadConfig.of(task, namesFor(task)));
    try (Predictor predictor = model.predictor(ONE_THREAD)) {
      assertEquals(task, predictor.task());
      assertEquals(namesFor(task), predictor.labels());
      for (String text : List.of("good film", "bad", "the strange film the film")) {
        Prediction answer = predictor.predict(text);
        if (task.equals(Task.CLASSIFICATION)) {
          assertEquals(List.of(answer.label()), answer.labels());
          assertEquals(answer.probability(answer.label()), answer.probability());
          assertTrue(answer.probability() >= 0.5);
        } else {
          hasNone(task, answer::label);
          hasNone(task, answer::probability);
        }
        if (task.equals(Task.REGRESSION)) {
          assertTrue(Double.isFinite(answer.value()));
        } else {
          hasNone(task, answer::value);
        }
        if (task.equals(Task.MULTILABEL)) {
          assertEquals(
              namesFor(task).stream().filter(n -> answer.probability(n) >= 0.5).toList(),
              answer.labels());
        }
        boolean classes = task.equals(Task.CLASSIFICATION) || task.equals(Task.MULTILABEL);
        assertEquals(
            classes ? namesFor(task) : List.of(), List.copyOf(answer.probabilities().keySet()));
        assertEquals(
            task.equals(Task.MULTIOUTPUT_REGRESSION) ? namesFor(task) : List.of(),
            List.copyOf(answer.values().keySet()));
        assertEquals(
            task.equals(Task.TOKEN_CLASSIFICATION) ? text.split(" ").length + 2 : 0,
            answer.tokens().size());
        assertThrows(IllegalArgumentException.class, () -> answer.probability("neither"));
      }
      Evaluation evaluation = predictor.evaluate(Dataset.of(labelledFor(task)), true);
      assertEquals(evaluation.metrics().get("loss"), evaluation.loss());
      assertTrue(evaluation.metrics().containsKey(evaluation.scoreName()));
      evaluation.score();
      assertEquals(
          task.equals(Task.REGRESSION) || task.equals(Task.MULTIOUTPUT_REGRESSION)
              ? 0
              : namesFor(task).size(),
          evaluation.classes().size());
    }
  }

  private static List<Example> labelledFor(Task task) {
    if (task.equals(Task.TOKEN_CLASSIFICATION)) {
      return List.of(
          Example.ofTokens(2, 5, 3).withLabels(List.of("-100", "low", "-100")),
          Example.ofTokens(2, 6, 7, 3).withLabels(List.of("-100", "long", "low", "-100")));
    }
    if (task.equals(Task.REGRESSION)) {
      return List.of(Example.of("good", 1), Example.of("bad film", -1.5));
    }
    if (task.equals(Task.MULTIOUTPUT_REGRESSION)) {
      return List.of(
          Example.of("good", List.of("1", "0.5")), Example.of("bad", List.of("-1", "2")));
    }
    return task.equals(Task.MULTILABEL)
        ? List.of(Example.of("good", List.of("low", "long")), Example.of("bad", List.of()))
        : List.of(Example.of("good", "low"), Example.of("bad film", "long"));
  }

  @Test
  void whatATextLacksIsSaidInTheWordsOfAProgram() throws IOException {
    Model tagger =
        encoder()
            .addHead(HeadConfig.tokenClassification("O", "NAME"))
            .inject(LoraConfig.builder().targetModules("query").rank(2).build());
    TrainingArguments once = arguments().evalSteps(0).numTrainEpochs(1).build();
    List<Example> texts =
        List.of(Example.of("the band", List.of("O", "O")), Example.of("a", List.of("O")));
    String reason = " has tags, 'O' is one, and a text whose words nobody knows: give its words";
    refused("examples:1" + reason, () -> tagger.train(Dataset.of(texts), once));
    Path lines =
        Files.writeString(folder.resolve("d.jsonl"), "{\"text\":\"good\",\"label\":[\"O\"]}\n");
    Path saved = tagger.save(folder.resolve("tagger"));
    Cli command = Cli.run("train", saved, "--data", lines, "-o", folder.resolve("none"));
    assertTrue(
        command
            .err()
            .contains("d.jsonl:1" + reason + ", as a .conll file or JSON lines with 'tokens'"),
        command.err());

    Files.delete(folder.resolve("encoder/tokenizer.json"));
    Model deaf = Model.open(folder.resolve("encoder")).addHead(HeadConfig.regression());
    refused(
        "text needs the model's tokenizer: put it there, or give tokens instead of text",
        () -> deaf.evaluate(Dataset.of(List.of(Example.of("good", 1))), ONE_THREAD));
    List<Example> mixed = List.of(Example.of("good", "pos"), Example.ofTokens(2, 5, 3));
    refused(
        "text 2 mixes text and pre-tokenized rows: split the data",
        () -> {
          try (Predictor predictor = Model.open(plain).predictor(ONE_THREAD)) {
            predictor.predict(mixed);
          }
        });
    refused(
        "examples:2 has no label: give it one",
        () ->
            Model.open(plain)
                .evaluate(
                    Dataset.of(List.of(Example.of("good", "pos"), Example.of("bad"))), ONE_THREAD));
  }

  @Test
  void aThreadThatIsInterruptedStopsAndNothingIsWritten() throws IOException {
    List<Path> before = list();
    Model adapted = adapted();
    TrainingListener interrupting =
        new TrainingListener() {
          @Override
          public void onStepEnd(StepMetrics metrics) {
            if (metrics.step() == 2) {
              Thread.currentThread().interrupt();
            }
          }
        };
    TrainingCancelledException cancelled =
        assertThrows(
            TrainingCancelledException.class,
            () ->
                adapted.train(
                    Dataset.of(examples(27, 1)), arguments().evalSteps(0).build(), interrupting));
    assertTrue(Thread.interrupted());
    assertEquals(2, cancelled.step());
    assertTrue(cancelled.runFolder().isEmpty());
    assertEquals(before, list());
  }

  private List<Path> list() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.sorted().toList();
    }
  }

  @SuppressWarnings("try") // closed twice, to see that it may be
  @Test
  void manyThreadsAreAnsweredAsOneIs() throws Exception {
    List<Example> texts = examples(40, 9);
    try (Predictor predictor = Model.open(plain).predictor(ONE_THREAD)) {
      List<Prediction> single = new ArrayList<>();
      List<Prediction> pairs = new ArrayList<>();
      for (Example example : texts) {
        single.add(predictor.predict(example.text().get()));
        pairs.add(predictor.predict(example.text().get(), "the film"));
      }
      List<Prediction> batch = predictor.predict(texts);
      ExecutorService threads = Executors.newFixedThreadPool(8);
      try {
        List<Future<?>> all = new ArrayList<>();
        for (int round = 0; round < 24; round++) {
          int first = round;
          all.add(
              threads.submit(
                  () -> {
                    for (int i = 0; i < texts.size(); i++) {
                      int at = (first + i) % texts.size();
                      String text = texts.get(at).text().get();
                      assertEquals(single.get(at), predictor.predict(text));
                      assertEquals(pairs.get(at), predictor.predict(text, "the film"));
                    }
                    assertEquals(batch, predictor.predict(texts));
                  }));
        }
        for (Future<?> one : all) {
          one.get();
        }
      } finally {
        threads.shutdown();
      }
      String text = texts.get(3).text().get();
      JsonNode byCommand =
          Cli.json("predict", plain, text, "--threads", 1, "--device", "cpu").get("predictions");
      assertEquals(
          single.get(3).probability("pos"),
          byCommand.get(0).get("probabilities").get("pos").asDouble());
      assertTrue(predictor.predict("good ".repeat(600)).truncated());
      assertFalse(single.get(3).truncated());
      predictor.close();
      assertThrows(IllegalStateException.class, () -> predictor.predict(text));
    }
  }

  @Test
  void whatIsMergedUnloadedAndSavedIsReadAgain() throws IOException {
    Model adapted =
        adapted().train(Dataset.of(examples(20, 1)), arguments().evalSteps(0).build()).model();
    Dataset data = Dataset.of(examples(16, 4));
    Model merged = adapted.merge(ONE_THREAD);
    assertFalse(merged.hasAdapters());
    assertTrue(merged.change().get().maxOutputDifference().getAsDouble() < 1e-4);
    Path saved = merged.save(folder.resolve("merged"));
    assertEquals(
        adapted.evaluate(data, ONE_THREAD).loss(),
        Model.open(saved.getParent()).evaluate(data, ONE_THREAD).loss(),
        1e-4);
    assertEquals(List.of("neg", "pos"), Model.open(saved).labels());
    refused("exists already", () -> merged.save(folder.resolve("merged")));
    merged.save(folder.resolve("merged"), true);

    Model unloaded = adapted().unload();
    assertArrayEquals(
        OnnxFile.serialize(Model.open(plain).onnx(), t -> false),
        OnnxFile.serialize(unloaded.onnx(), t -> false));
    refused("is the model that is read", () -> adapted.save(plain, true));

    Model renamed = merged.withLabels(List.of("no", "yes"));
    Path other = renamed.save(folder.resolve("renamed"));
    assertEquals(List.of("no", "yes"), Model.open(other).labels());
    Path beside = other.resolveSibling("adapted.onnx");
    Model.open(other)
        .withLabels(List.of("no", "yes"))
        .inject(LoraConfig.builder().targetModules("query").build())
        .save(beside);
    refused(
        "config.json",
        () ->
            Model.open(beside)
                .withLabels(List.of("a", "b"))
                .save(other.resolveSibling("further.onnx")));
    ModelInfo info = adapted.inspect();
    assertEquals(adapted.parameterCount(), info.parameterCount());
    assertTrue(info.linears().stream().anyMatch(ModelInfo.LinearLayer::adapted));
  }

  private static void refused(String words, Executable call) {
    LoraGraphException refusal = assertThrows(LoraGraphException.class, call);
    assertTrue(refusal.getMessage().contains(words), refusal.getMessage());
  }

  @Test
  void whatIsWrongIsSaidInTheWordsOfTheLibrary() {
    Dataset some = Dataset.of(examples(8, 1));
    List<Executable> calls =
        List.of(
            () -> LoraConfig.builder().build(),
            () -> HeadConfig.classification("one"),
            () -> arguments().maxTrainSamples(0).build(),
            () -> arguments().threads(-1).build(),
            () -> arguments().method(TrainingArguments.Method.HEAD).build(),
            () -> adapted().train(some, arguments().evalSteps(2).build()),
            () -> adapted().train(some, arguments().evalSteps(0).classWeights("a,b").build()),
            () -> adapted().train(some, arguments().resumeFromCheckpoint(true).build()),
            () -> adapted().train(Dataset.of(List.of()), arguments().evalSteps(0).build()),
            () ->
                adapted()
                    .train(
                        Dataset.of(List.of(Example.of("", "pos"))),
                        arguments().evalSteps(0).build()),
            () -> Model.open(plain).train(some, arguments().evalSteps(0).build()),
            () -> adapted().inject(LoraConfig.builder().targetModules("key").build()),
            () -> Model.open(plain).merge(),
            () -> adapted().train(some, arguments().evalSteps(0).maxLength(5000).build()),
            () ->
                adapted()
                    .train(
                        Dataset.of(List.of(Example.of("good", "unheard of"))),
                        arguments().evalSteps(0).build()),
            () ->
                adapted()
                    .train(
                        Dataset.of(List.of(Example.of("good"))), arguments().evalSteps(0).build()),
            () ->
                adapted()
                    .train(
                        some.withTextColumn("x"),
                        Dataset.file(Files.writeString(folder.resolve("d.csv"), "a,b\n1,2\n")),
                        arguments().build()),
            () -> Model.open(folder.resolve("nothing")),
            () -> adapted().train(some, arguments().evalSteps(0).trainable("nowhere").build()),
            () -> Model.open(plain).addHead(HeadConfig.classification("a", "b")));
    for (var call : calls) {
      LoraGraphException refusal = assertThrows(LoraGraphException.class, call);
      assertFalse(refusal.getMessage().contains("--"), refusal.getMessage());
      assertFalse(refusal.getMessage().contains("lora-graph "), refusal.getMessage());
    }
  }

  @Test
  void wholeJobsCloseAllThatTheyOpen() throws Throwable {
    List<Example> examples = examples(12, 1);
    Path data = file("train.tsv", examples);
    NativeMemory.assertAllClosed(
        () -> {
          Model adapted = adapted();
          TrainingResult result =
              adapted.train(Dataset.of(examples), Dataset.of(examples), arguments().build());
          result.model().evaluate(Dataset.of(examples), ONE_THREAD);
          result.model().merge(ONE_THREAD).save(folder.resolve("closed"));
          adapted.inspect();
          embedAndClose(adapted);
          try (Predictor predictor = Model.open(folder.resolve("closed")).predictor(ONE_THREAD)) {
            predictor.predict("good film");
          }
          assertThrows(
              LoraGraphException.class,
              () ->
                  adapted.train(
                      Dataset.of(List.of(Example.of("good", "unheard of"))),
                      arguments().evalSteps(0).build()));
          assertThrows(
              TrainingCancelledException.class,
              () ->
                  adapted.train(
                      Dataset.of(examples), arguments().evalSteps(0).build(), new Recorder(1)));
        });
    NativeMemory.assertAllClosed(
        () -> {
          Path lora = folder.resolve("c/m.lora.onnx");
          Path run = folder.resolve("c/run");
          Cli.json("inspect", plain);
          Cli.json("inject", plain, "--match", "query", "-r", 2, "-o", lora);
          Cli.json(
              "train", lora, "--data", data, "--eval", data, "--engine", engineName(), "-o", run);
          Cli.json("eval", run, "--data", data, "--errors", 3);
          Cli.json("predict", run, "good film");
          Cli.json("merge", run, "-o", folder.resolve("c/merged"));
          Cli.json("remove", lora, "-o", folder.resolve("c/removed"));
          Cli.json("artifacts", lora, "-o", folder.resolve("c/artifacts"));
          Cli.json("benchmark", lora, "--steps", 1, "--batch-size", 2, "--sequence", 5);
          Cli.json(
              "add-head",
              ReportGraph.write("92-sentence-embedding-only", folder.resolve("c/states")),
              "--labels",
              "good,bad",
              "-o",
              folder.resolve("c/headed"));
          assertEquals(1, Cli.run("predict", run, "good", "bad\tpair").exitCode());
        });
  }

  /** Trains an encoder of queries, and embeds with it and with what embeds its documents. */
  private void embedAndClose(Model adapted) {
    EmbeddingArguments pooled =
        EmbeddingArguments.AS_FOUND.withPooling(EmbeddingArguments.Pooling.MEAN);
    OnnxModel states = Encoders.of(new ReferenceArchitecture(32, 2, 2, 64, 40, 40, 2).model(0), 32);
    Path file =
        adapted
            .withOnnx(states)
            .inject(LoraConfig.builder().targetModules("query").build())
            .save(folder.resolve("states"));
    Dataset pairs =
        Dataset.of(
            List.of(Example.pair("good film", "good"), Example.pair("bad film", "bad")).stream());
    TrainingResult result =
        Model.open(file)
            .train(
                pairs,
                pairs,
                arguments()
                    .task(Task.EMBEDDING)
                    .embedding(pooled)
                    .querySide(true)
                    .maxSteps(1)
                    .build());
    try (Embedder embedder = result.model().embedder()) {
      embedder.embedDocuments(List.of("good", "bad"));
      embedder.evaluate(pairs);
      embedder.mineNegatives(pairs, MiningConfig.builder().numNegatives(1).build());
      assertThrows(LoraGraphException.class, () -> embedder.embed("\0"));
    }
    InferenceArguments other =
        InferenceArguments.builder()
            .embedding(pooled.withDocumentModel(folder.resolve("closed")))
            .build();
    assertThrows(LoraGraphException.class, () -> Model.open(file).embedder(other));
  }

  @Test
  void whatIsLeftOpenIsFound() throws Throwable {
    List<Predictor> left = new ArrayList<>();
    List<String> open =
        NativeMemory.leftOpenBy(
            () -> {
              Predictor predictor = Model.open(plain).predictor(ONE_THREAD);
              left.add(predictor);
              predictor.predict("good");
            });
    assertTrue(open.stream().anyMatch(o -> o.startsWith("session made at ")), open.toString());
    assertTrue(open.stream().anyMatch(o -> o.startsWith("tokenizer made at ")), open.toString());
    left.forEach(Predictor::close);
  }
}
