package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What the front door does with programs that use it in ways that it is not meant for. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FrontDoorMisuseTest {
  private static final InferenceArguments ONE_THREAD =
      InferenceArguments.builder().device(Device.CPU).threads(1).build();
  private static final Dataset SOME =
      Dataset.of(
          List.of(
              Example.of("good film", "pos"),
              Example.of("bad", "neg"),
              Example.of("the good", "pos"),
              Example.of("a bad strange film", "neg")));

  @TempDir Path folder;
  private Path plain;
  private Path run;
  private Path data;

  @BeforeEach
  void makeModel() throws IOException {
    plain = folder.resolve("model");
    run = folder.resolve("run");
    DataCommandsTest.makeModel(plain);
    data = Files.writeString(folder.resolve("d.tsv"), "text\tlabel\ngood\tpos\nbad film\tneg\n");
  }

  @AfterEach
  void noWishToStopIsLeft() {
    Thread.interrupted();
  }

  private Model adapted() {
    return Model.open(plain)
        .withNotes(line -> {})
        .inject(LoraConfig.builder().targetModules("query").rank(2).build());
  }

  private static TrainingArguments.Builder arguments() {
    return TrainingArguments.builder()
        .engine(TrainingArguments.Engine.GRAPH)
        .device(Device.CPU)
        .threads(1)
        .maxSteps(2)
        .trainBatchSize(2);
  }

  private static String refused(String words, Executable call) {
    LoraGraphException refusal = assertThrows(LoraGraphException.class, call);
    assertTrue(refusal.getMessage().contains(words), refusal.getMessage());
    return refusal.getMessage();
  }

  private List<Path> list() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.sorted().toList();
    }
  }

  @Test
  void aRunDoesNotReplaceWhatItIsTrainedFrom() throws IOException {
    adapted().train(Dataset.file(data), arguments().outputDir(run).build());
    List<Path> before = list();
    TrainingArguments over = arguments().outputDir(run).overwriteOutputDir(true).build();
    refused(
        run.resolve("model.onnx") + ", which the training begins with, lies in " + run,
        () -> Model.open(run).train(SOME, over));
    refused("lies in", () -> Model.open(run).merge(ONE_THREAD).train(SOME, over));
    Cli command = Cli.run("train", run, "--data", data, "-o", run, "--force");
    assertEquals(1, command.exitCode());
    assertTrue(command.err().contains("which is to be replaced: choose another"), command.err());
    assertEquals(before, list());

    Path inside = Files.copy(data, run.resolve("d.tsv"));
    refused(inside + ", which", () -> adapted().train(Dataset.file(inside), over));
    refused(inside + ", which", () -> adapted().train(SOME, Dataset.file(inside), over));
    Path tokenizer = plain.resolve("tokenizer.json");
    Files.delete(tokenizer);
    Files.createSymbolicLink(tokenizer, run.resolve("tokenizer.json"));
    refused(tokenizer + ", which", () -> adapted().train(SOME, over));
    Path link = Files.createSymbolicLink(folder.resolve("link"), run);
    refused(
        "lies in " + run,
        () ->
            Model.open(link)
                .train(SOME, arguments().outputDir(run).overwriteOutputDir(true).build()));
    assertTrue(Files.exists(run.resolve("tokenizer.json")));

    Path further = folder.resolve("further");
    Model.open(run).train(SOME, arguments().outputDir(further).build());
    Model.open(plain.resolve("model.onnx"));
    assertTrue(Files.exists(further.resolve("config.json")));
    assertTrue(Files.exists(further.resolve("tokenizer.json")));
  }

  @Test
  void aRunThatIsReplacedByAnotherModelsKeepsItsCompanions() throws IOException {
    adapted().train(SOME, arguments().outputDir(run).build());
    adapted()
        .withLabels(List.of("no", "yes"))
        .train(
            Dataset.of(List.of(Example.of("good", "yes"), Example.of("bad", "no"))),
            arguments().outputDir(run).overwriteOutputDir(true).build());
    assertEquals(List.of("no", "yes"), Model.open(run).labels());
    assertArrayEquals(
        Files.readAllBytes(plain.resolve("tokenizer.json")),
        Files.readAllBytes(run.resolve("tokenizer.json")));
  }

  @Test
  void aRunNotesNoFileThatItWasNotTrainedFrom() throws IOException {
    Path first = adapted().save(folder.resolve("a/model.onnx"));
    Path other = adapted().withNotes(l -> {}).unload().save(folder.resolve("b/model.onnx"));
    Model opened = Model.open(first).withNotes(line -> {});
    Files.move(other, first, StandardCopyOption.REPLACE_EXISTING);
    refused(
        first + " has changed since it was read: open the model again",
        () -> opened.train(SOME, arguments().outputDir(run).build()));
    assertFalse(Files.exists(run));

    Path second = adapted().save(folder.resolve("c/model.onnx"));
    Model touched = Model.open(second).withNotes(line -> {});
    byte[] bytes = Files.readAllBytes(second);
    Files.delete(second);
    Files.write(second, bytes);
    refused("open the model again", () -> touched.train(SOME, arguments().outputDir(run).build()));
    Model again = Model.open(second).withNotes(line -> {});
    again.train(SOME, arguments().outputDir(run).build());

    TrainingListener replacing =
        new TrainingListener() {
          @Override
          public void onNote(String line) {
            if (line.contains("cut at")) {
              assertDoesNotThrow(
                  () ->
                      Files.writeString(data, "text\tlabel\nbad\tpos\ngood film\tneg\nbad\tneg\n"));
            }
          }
        };
    refused(
        data + " has changed since it was read: begin the training again",
        () ->
            again.train(
                Dataset.file(data),
                arguments().maxLength(3).outputDir(folder.resolve("e")).build(),
                replacing));
    assertFalse(Files.exists(folder.resolve("e")));
  }

  @Test
  void anInterruptBeforeTheFirstStepIsAWishToStop() throws IOException {
    Model adapted = adapted();
    List<Path> before = list();
    Thread.currentThread().interrupt();
    TrainingCancelledException cancelled =
        assertThrows(
            TrainingCancelledException.class,
            () -> adapted.train(Dataset.file(data), arguments().outputDir(run).build()));
    assertTrue(Thread.interrupted());
    assertEquals(0, cancelled.step());
    assertTrue(cancelled.runFolder().isEmpty());
    assertEquals(before, list());

    for (String begin : List.of("training ", "guess")) {
      TrainingListener interrupting =
          new TrainingListener() {
            @Override
            public void onNote(String line) {
              if (line.startsWith(begin) || begin.equals("guess")) {
                Thread.currentThread().interrupt();
              }
            }
          };
      assertThrows(
          TrainingCancelledException.class,
          () ->
              adapted.train(Dataset.file(data), arguments().outputDir(run).build(), interrupting));
      assertTrue(Thread.interrupted());
      assertEquals(before, list());
    }
  }

  @Test
  void anInterruptAtAnyTimeIsACancel() throws Exception {
    Model adapted = adapted();
    for (int i = 0; i < 12; i++) {
      Path target = folder.resolve("run" + i);
      AtomicReference<Throwable> end = new AtomicReference<>();
      Thread thread =
          new Thread(
              () -> {
                try {
                  adapted.train(
                      Dataset.file(data),
                      Dataset.file(data),
                      arguments().maxSteps(3000).saveSteps(1).outputDir(target).build());
                } catch (RuntimeException | Error e) {
                  end.set(e);
                }
              });
      thread.start();
      Thread.sleep(i * 37L);
      thread.interrupt();
      thread.join();
      assertEquals(
          TrainingCancelledException.class, end.get() == null ? null : end.get().getClass());
      TrainingCancelledException cancelled = (TrainingCancelledException) end.get();
      assertEquals(Files.exists(target), cancelled.runFolder().isPresent(), "run " + i);
    }
  }

  @Test
  void aThreadThatIsInterruptedReadsAndWritesWholeFiles() throws IOException {
    Path expected = adapted().save(folder.resolve("expected"));
    Thread.currentThread().interrupt();
    Path saved = adapted().save(folder.resolve("deep/er/saved"));
    assertTrue(Thread.currentThread().isInterrupted());
    assertArrayEquals(Files.readAllBytes(expected), Files.readAllBytes(saved));
    double answer;
    try (Predictor predictor = Model.open(saved).predictor(ONE_THREAD)) {
      answer = predictor.predict("good").probability("pos");
    }
    assertTrue(Thread.interrupted());
    try (Predictor predictor = Model.open(expected).predictor(ONE_THREAD)) {
      assertEquals(predictor.predict("good").probability("pos"), answer);
    }
  }

  @Test
  void whatCannotBeSavedLeavesNoFolder() throws IOException {
    Model adapted = adapted();
    // A folder in the place of the tokenizer of another: it cannot be copied.
    Path tokenizer = plain.resolve("tokenizer.json");
    Files.delete(tokenizer);
    Files.createDirectory(tokenizer);
    List<Path> before = list();
    assertThrows(LoraGraphException.class, () -> adapted.save(folder.resolve("deep/er/saved")));
    assertEquals(before, list());
  }

  @Test
  void aPredictorMayBeClosedByWhoHearsOfIt() throws IOException {
    AtomicReference<Predictor> open = new AtomicReference<>();
    Consumer<String> closing =
        line -> {
          if (open.get() != null) {
            open.get().close();
          }
        };
    adapted().train(SOME, arguments().outputDir(run).build());
    Predictor told = Model.open(run).withNotes(closing).predictor(ONE_THREAD);
    open.set(told);
    assertThrows(IllegalStateException.class, () -> told.predict("good", "film"));

    open.set(null);
    Predictor cutting =
        Model.open(plain)
            .withNotes(closing)
            .predictor(
                InferenceArguments.builder().device(Device.CPU).threads(1).maxLength(3).build());
    open.set(cutting);
    assertThrows(IllegalStateException.class, () -> cutting.evaluate(SOME));

    Predictor taking = Model.open(plain).withNotes(l -> {}).predictor(ONE_THREAD);
    taking.predict(SOME, (example, prediction) -> taking.close());
    assertThrows(IllegalStateException.class, () -> taking.predict(SOME, (e, p) -> {}));
    assertThrows(IllegalStateException.class, () -> taking.evaluate(SOME));
  }

  @Test
  void aListenerThatThrowsLosesNoTrainedModel() {
    IllegalStateException thrown = new IllegalStateException("mine");
    TrainingListener throwing =
        new TrainingListener() {
          @Override
          public void onTrainEnd() {
            throw thrown;
          }
        };
    assertSame(
        thrown,
        assertThrows(
            IllegalStateException.class,
            () -> adapted().train(SOME, arguments().outputDir(run).build(), throwing)));
    assertEquals(List.of("neg", "pos"), Model.open(run).labels());
    assertFalse(Files.exists(run.resolve("checkpoints")));
    Model.open(run).evaluate(SOME, ONE_THREAD);

    TrainingListener early =
        new TrainingListener() {
          @Override
          public void onStepEnd(StepMetrics metrics) {
            throw thrown;
          }
        };
    Path none = folder.resolve("none");
    assertThrows(
        IllegalStateException.class,
        () -> adapted().train(SOME, arguments().outputDir(none).build(), early));
    assertFalse(Files.exists(none));
  }

  @Test
  void labelsAreAsManyAsTheModelHasOutputs() {
    for (int count : new int[] {1, 3, 7}) {
      List<String> names = Stream.iterate(0, i -> i + 1).limit(count).map(i -> "l" + i).toList();
      refused(
          "%d labels are given, and the model has 2 outputs".formatted(count),
          () -> Model.open(plain).withLabels(names));
      refused("the model has 2 outputs", () -> adapted().withLabels(names));
    }
    refused("0 labels are given, and the model has 2", () -> adapted().withLabels(List.of()));
    assertEquals(List.of("no", "yes"), adapted().withLabels(List.of("no", "yes")).labels());
  }

  @Test
  void messagesOnExamplesOfAProgramNameNoLinesNorFiles() {
    List<String> messages =
        List.of(
            refused(
                "examples:2 has no label: give it one",
                () -> train(Example.of("good", "pos"), Example.of("bad"))),
            refused(
                "examples:2 mixes single texts and pairs: split the data",
                () ->
                    train(Example.of("good", "pos"), Example.pair("bad", "film").withLabel("neg"))),
            refused(
                "examples:2 mixes text and pre-tokenized rows",
                () -> train(Example.of("good", "pos"), Example.ofTokens(2, 5, 3).withLabel("neg"))),
            refused("mend the label, or put a head", () -> train(Example.of("good", "unheard of"))),
            refused("mend it, or leave it out", () -> train(Example.of("a\0b", "pos"))),
            refused(
                "mend the row, or leave it out", () -> train(Example.ofTokens().withLabel("pos"))),
            refused(
                "text 1: 'text' has a NUL character in it: mend it, or leave it out",
                () -> predict("a\0b")),
            refused("has half of a character", () -> predict("a\ud800")),
            refused(
                "give both texts of one kind",
                () ->
                    adapted()
                        .train(
                            SOME,
                            Dataset.of(List.of(Example.pair("good", "film").withLabel("pos"))),
                            arguments().build())));
    for (String message : messages) {
      assertFalse(Pattern.compile("\\b(line|file|column|field)").matcher(message).find(), message);
    }
  }

  private TrainingResult train(Example... examples) {
    return adapted().train(Dataset.of(List.of(examples)), arguments().build());
  }

  private Prediction predict(String text) {
    try (Predictor predictor = Model.open(plain).withNotes(l -> {}).predictor(ONE_THREAD)) {
      return predictor.predict(text);
    }
  }

  @Test
  void textsOfAProgramAreNoLongerThanThoseOfFiles() {
    String half = "good ".repeat(1_000_001);
    assertTrue(predict(half).truncated());
    refused("text 1 has more than 10,000,000 characters", () -> predict(half + half));
    refused(
        "examples:1 has more than 10,000,000 characters",
        () -> train(Example.pair(half, half).withLabel("pos")));
  }

  @Test
  void whereThereIsNothingToAnswerThereIsNoAnswer() {
    try (Predictor predictor = Model.open(plain).withNotes(l -> {}).predictor(ONE_THREAD)) {
      List<Prediction> answers = new ArrayList<>();
      predictor.predict(Dataset.of(List.of()), (example, answer) -> answers.add(answer));
      assertEquals(List.of(), answers);
      assertEquals(List.of(), predictor.predict(List.of()));
      refused("holds no examples", () -> predictor.evaluate(Dataset.of(List.of())));
    }
    refused("holds no examples", () -> train());
  }

  @Test
  void numbersThatAreNotPossibleAreRefusedWhenTheArgumentsAreBuilt() {
    refused("0 turns them off", () -> arguments().saveSteps(-1).build());
    refused("0 turns them off", () -> arguments().outputDir(run).saveSteps(-1).build());
    for (double share : new double[] {1, -0.1, Double.NaN, Double.POSITIVE_INFINITY}) {
      refused("label smoothing", () -> arguments().labelSmoothing(share).build());
      refused("LoRA dropout", () -> arguments().loraDropout(share).build());
    }
    for (String weights : List.of("", "a,b", "1,", "1;2", "Balanced")) {
      refused("class weights", () -> arguments().classWeights(weights).build());
    }
    refused("class weights", () -> arguments().classWeights(1, -1).build());
    refused("class weights", () -> arguments().classWeights(Double.NaN, 1).build());
    refused("class weights", () -> arguments().classWeights(0, 0).build());
    arguments().classWeights("balanced").labelSmoothing(0.1).build();
    arguments().classWeights(1, 2).build();
    refused("warm-up", () -> arguments().warmupRatio(Double.NaN).build());
    refused("warm-up", () -> arguments().warmupSteps(-1).build());
    refused("learning rate", () -> arguments().learningRate(Double.NaN).build());
    refused("norm", () -> arguments().maxGradNorm(-1).build());
    refused("threads", () -> InferenceArguments.builder().threads(-1).build());
    refused("maximum length", () -> InferenceArguments.builder().maxLength(0).build());
  }

  @Test
  void whatIsNullIsNamedWhereItIsGiven() {
    nullNamed("method", () -> arguments().method(null));
    nullNamed("engine", () -> arguments().engine(null));
    nullNamed("device", () -> arguments().device(null));
    nullNamed("precision", () -> arguments().precision(null));
    nullNamed("lrScheduler", () -> arguments().lrScheduler(null));
    nullNamed("weightDecayOn", () -> arguments().weightDecayOn(null));
    nullNamed("task", () -> arguments().task(null));
    nullNamed("outputDir", () -> arguments().outputDir(null));
    nullNamed("classWeights", () -> arguments().classWeights((String) null));
    nullNamed("trainable", () -> arguments().trainable((Pattern) null));
    nullNamed("device", () -> InferenceArguments.builder().device(null));
    nullNamed("task", () -> InferenceArguments.builder().task(null));
    nullNamed("targetModules", () -> LoraConfig.builder().targetModules((Pattern) null));
    nullNamed("notes", () -> Model.open(plain).withNotes(null));
    nullNamed("name", () -> Model.open(plain).withOutput(null));
    nullNamed("training", () -> adapted().train(null, arguments().build()));
    nullNamed("heldOut", () -> adapted().train(SOME, (Dataset) null, arguments().build()));
    nullNamed("arguments", () -> adapted().train(SOME, (TrainingArguments) null));
  }

  private static void nullNamed(String name, Executable call) {
    assertEquals(name, assertThrows(NullPointerException.class, call).getMessage());
  }

  @Test
  void theCommandLineSaysHowManyClassWeightsThereAre() {
    Path adapted = adapted().save(folder.resolve("m.lora.onnx"));
    Cli cli = Cli.run("train", adapted, "--data", data, "-o", run, "--class-weights", "a,b");
    assertTrue(
        cli.err()
            .contains(
                "--class-weights 'a,b' are no numbers: give one for each of the 2 classes, or"
                    + " 'balanced'"),
        cli.err());
  }
}
