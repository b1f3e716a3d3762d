package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.ProcessLock;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.OnnxFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is trained on rows that are not held in memory is, byte for byte and figure for figure, what
 * is trained on rows that are: with steps of several batches, over the ends of epochs, on a part of
 * the data, by class weights, and after a stop in the midst of an epoch.
 */
class StreamingTest {
  private static final List<String> WORDS = List.of("good", "bad", "film", "the", "a", "strange");

  @TempDir Path folder;
  private final List<String> notes = new ArrayList<>();
  private Path encoder;
  private int runs;

  TrainingArguments.Engine engine() {
    return TrainingArguments.Engine.GRAPH;
  }

  @BeforeEach
  void makeEncoder() throws IOException {
    Path plain = folder.resolve("plain");
    DataCommandsTest.makeModel(plain);
    encoder = Files.createDirectories(folder.resolve("encoder"));
    OnnxFile.write(
        Encoders.of(new ReferenceArchitecture(32, 2, 2, 64, 40, 40, 2).model(0), 32),
        encoder.resolve("model.onnx"),
        true);
    Files.copy(plain.resolve("tokenizer.json"), encoder.resolve("tokenizer.json"));
  }

  private Model model(Task task) {
    return Model.open(encoder)
        .withNotes(notes::add)
        .addHead(
            HeadConfig.of(task, task.equals(Task.REGRESSION) ? List.of() : List.of("low", "long")))
        .inject(LoraConfig.builder().targetModules("query|value").rank(2).seed(3).build());
  }

  private Path table(String name, Task task, boolean pairs, int rows, long seed)
      throws IOException {
    Random random = new Random(seed);
    StringBuilder table =
        new StringBuilder(pairs ? "sentence1\tsentence2\tlabel\n" : "text\tlabel\n");
    for (int i = 0; i < rows; i++) {
      for (int text = 0; text < (pairs ? 2 : 1); text++) {
        table.append(i % 3 == 0 ? "good" : "bad");
        for (int words = random.nextInt(text == 0 ? 9 : 4); words > 0; words--) {
          table.append(' ').append(WORDS.get(random.nextInt(WORDS.size())));
        }
        table.append('\t');
      }
      table.append(label(task, i)).append('\n');
    }
    return Files.writeString(folder.resolve(name), table);
  }

  private static String label(Task task, int row) {
    if (task.equals(Task.CLASSIFICATION)) {
      return row % 17 == 5 ? "-100" : row % 3 == 0 ? "low" : "long";
    }
    if (task.equals(Task.MULTILABEL)) {
      return List.of("low,long", "low", "[]", "long").get(row % 4);
    }
    return task.equals(Task.REGRESSION) ? row % 7 / 3.0 + "" : row % 5 / 4.0 + "," + row % 3;
  }

  private TrainingArguments.Builder arguments() {
    return TrainingArguments.builder()
        .device(Device.CPU)
        .threads(1)
        .engine(engine())
        .cacheDir(folder.resolve("cache"))
        .trainBatchSize(3)
        .gradientAccumulationSteps(2)
        .numTrainEpochs(2.5)
        .learningRate(1e-2)
        .loggingSteps(1)
        .evalSteps(7)
        .seed(11);
  }

  private TrainingResult train(
      Model model, Path data, Path heldOut, TrainingArguments.Builder arguments) {
    return model.train(
        Dataset.file(data),
        Dataset.file(heldOut),
        arguments.outputDir(folder.resolve("run" + ++runs)).build());
  }

  private Path run(int number) {
    return folder.resolve("run" + number);
  }

  private void same(Task task, boolean pairs, Consumer<TrainingArguments.Builder> more)
      throws IOException {
    Path data = table("train.tsv", task, pairs, 200, 1);
    Path heldOut = table("dev.tsv", task, pairs, 40, 2);
    TrainingArguments.Builder memory = arguments().streaming(false);
    more.accept(memory);
    TrainingResult expected = train(model(task), data, heldOut, memory);
    for (boolean known : new boolean[] {false, true}) {
      notes.clear();
      TrainingArguments.Builder streaming = arguments().streaming(true);
      more.accept(streaming);
      TrainingResult result = train(model(task), data, heldOut, streaming);
      assertArrayEquals(Runs.learned(run(1)), Runs.learned(run(runs)));
      assertEquals(Trainings.figures(run(1)), Trainings.figures(run(runs)));
      assertEquals(expected.truncated(), result.truncated());
      assertEquals(expected.truncatedEval(), result.truncatedEval());
      assertEquals(Runs.record(run(1)).path("mistakes"), Runs.record(run(runs)).path("mistakes"));
      assertEquals(
          known ? 2 : 0,
          notes.stream().filter(n -> n.contains("the tokens of")).count(),
          notes::toString);
    }
  }

  @Test
  void classification() throws IOException {
    same(Task.CLASSIFICATION, false, a -> a.classWeights("balanced"));
  }

  @Test
  void pairsOfWhichManyAreCut() throws IOException {
    same(Task.CLASSIFICATION, true, a -> a.maxLength(8).maxTrainSamples(77));
  }

  @ParameterizedTest
  @ValueSource(strings = {"multilabel", "regression", "multioutput-regression"})
  void otherTargets(String task) throws IOException {
    same(Task.named(task).orElseThrow(), false, a -> a.shuffle(!task.equals("regression")));
    String page = Files.readString(run(runs).resolve("report.html"));
    assertEquals(task.equals("multilabel"), page.contains("Figures of each class"), page);
    assertFalse(page.contains("Confusion matrix"), "one answer or several are no pairs of classes");
    for (String part : List.of("Last evaluation", "Worst mistakes", "% of the tokens of a batch")) {
      assertTrue(page.contains(part), part);
    }
  }

  @Test
  void someOfEachClass() throws IOException {
    same(Task.CLASSIFICATION, false, a -> a.maxTrainSamplesPerClass(40));
  }

  /** Stopped in the midst of an epoch and gone on with, streamed or not, as the run never was. */
  @Test
  void stoppedAndGoneOnWith() throws IOException {
    Path data = table("train.tsv", Task.CLASSIFICATION, false, 200, 1);
    Path heldOut = table("dev.tsv", Task.CLASSIFICATION, false, 40, 2);
    Path model = folder.resolve("adapted");
    model(Task.CLASSIFICATION).save(model);
    train(Model.open(model), data, heldOut, arguments().streaming(false));
    for (boolean streamed : new boolean[] {true, false}) {
      assertThrows(
          TrainingCancelledException.class,
          () ->
              train(
                  Model.open(model),
                  data,
                  heldOut,
                  arguments().streaming(streamed).stopAfterSteps(47)));
      for (Path entry : entries(folder.resolve("cache"))) {
        Files.deleteIfExists(entry.resolve("data.json"));
      }
      Model.open(model)
          .train(
              Dataset.file(data),
              Dataset.file(heldOut),
              arguments()
                  .streaming(!streamed)
                  .outputDir(run(runs))
                  .resumeFromCheckpoint(true)
                  .build());
      assertArrayEquals(Runs.learned(run(1)), Runs.learned(run(runs)));
    }
  }

  /** What a killed run has left, damage, and a neighbour that makes the same. */
  @Test
  void whatIsNotWholeMisleadsNobody() throws IOException {
    Path data = table("train.tsv", Task.CLASSIFICATION, false, 60, 1);
    Path heldOut = table("dev.tsv", Task.CLASSIFICATION, false, 20, 2);
    Path cache = folder.resolve("cache");
    Path left = Files.createDirectories(cache.resolve("0f3a"));
    Files.writeString(left.resolve("records.bin"), "half");
    train(model(Task.CLASSIFICATION), data, heldOut, arguments().streaming(true));
    assertFalse(Files.exists(left));
    assertEquals(2, entries(cache).size());

    for (Path entry : entries(cache)) {
      assertFalse(Files.exists(entry.resolve("texts.bin")));
      for (String file : List.of("tokens.bin", "records.bin", "data.json")) {
        byte[] bytes = Files.readAllBytes(entry.resolve(file));
        byte[] other = bytes.clone();
        other[40] ^= 1;
        Files.write(entry.resolve(file), other);
        notes.clear();
        train(model(Task.CLASSIFICATION), data, heldOut, arguments().streaming(true));
        assertArrayEquals(Runs.learned(run(1)), Runs.learned(run(runs)));
        assertEquals(
            List.of(entry + " was damaged, and is made anew"),
            notes.stream().filter(n -> n.contains("damaged")).toList());
        assertArrayEquals(bytes, Files.readAllBytes(entry.resolve(file)));
      }
    }

    List<Path> all = entries(cache);
    for (Path entry : all) {
      Files.delete(entry.resolve("data.json"));
    }
    Optional<ProcessLock> lock =
        ProcessLock.tryLock(all.get(0).resolveSibling(all.get(0).getFileName() + ".lock"));
    train(model(Task.CLASSIFICATION), data, heldOut, arguments().streaming(true));
    lock.orElseThrow().close();
    assertArrayEquals(Runs.learned(run(1)), Runs.learned(run(runs)));
    assertFalse(Files.exists(all.get(0).resolve("data.json")));
    assertTrue(Files.exists(all.get(1).resolve("data.json")));
    assertEquals(2, entries(cache).size());
  }

  /**
   * Content tells data apart, not the folder that a run was begun in; what content is read as, too.
   */
  @Test
  void tokensAreFoundAgainWhereverFilesLie() throws IOException {
    Path data = table("train.tsv", Task.CLASSIFICATION, true, 60, 1);
    Path moved =
        Files.copy(data, Files.createDirectories(folder.resolve("moved")).resolve("rows.tsv"));
    Path heldOut = table("dev.tsv", Task.CLASSIFICATION, true, 20, 2);
    Dataset measured = Dataset.file(heldOut);
    Model model = model(Task.CLASSIFICATION);
    TrainingArguments arguments = arguments().evalSteps(0).streaming(true).build();
    model.train(Dataset.file(data), measured, arguments);
    notes.clear();
    model.train(Dataset.file(moved), measured, arguments);
    assertTrue(
        notes.stream().anyMatch(note -> note.startsWith(moved + ": the tokens of 60 rows")),
        notes::toString);
    assertTrue(
        notes.stream().anyMatch(note -> note.startsWith(moved + ": pairs of ")), notes::toString);

    notes.clear();
    String again = Files.readString(data).replace('\t', ',');
    Path other = Files.writeString(folder.resolve("one.csv"), again);
    model.train(Dataset.file(other), measured, arguments);
    assertFalse(
        notes.stream().anyMatch(note -> note.startsWith(other + ": the tokens")), notes::toString);
    // With numbers as labels, rows of these two models differ in nothing that a list's text shows.
    Path numbers =
        Files.writeString(
            folder.resolve("numbers.tsv"),
            Files.readString(data).replace("\tlow", "\t0").replace("\tlong", "\t1"));
    for (List<String> names : List.of(List.of("x, y", "z"), List.of("x", "y, z"))) {
      notes.clear();
      Model.open(encoder)
          .withNotes(notes::add)
          .addHead(HeadConfig.of(Task.CLASSIFICATION, names))
          .inject(LoraConfig.builder().targetModules("query").rank(2).build())
          .train(Dataset.file(numbers), arguments);
      assertFalse(
          notes.stream().anyMatch(note -> note.contains(": the tokens of")), notes::toString);
    }
  }

  private static List<Path> entries(Path cache) throws IOException {
    try (Stream<Path> all = Files.list(cache)) {
      return all.filter(Files::isDirectory).sorted().toList();
    }
  }

  /** As in memory, and nothing is left. */
  @Test
  void badRowsAreRefusedWithTheirLine() throws IOException {
    Path heldOut = table("dev.tsv", Task.CLASSIFICATION, false, 20, 2);
    String good = "text\tlabel\n" + "good film\tlow\n".repeat(30);
    for (String bad : List.of("film\tmiddle\n", "film\n", "film\t\n", "\tlow\n")) {
      Path data = Files.writeString(folder.resolve("bad.tsv"), good + bad + "film\tlong\n");
      List<String> messages = new ArrayList<>();
      for (boolean streaming : new boolean[] {false, true}) {
        messages.add(
            assertThrows(
                    LoraGraphException.class,
                    () ->
                        train(
                            model(Task.CLASSIFICATION),
                            data,
                            heldOut,
                            arguments().streaming(streaming)))
                .getMessage());
      }
      assertTrue(messages.get(0).contains("bad.tsv:32"), messages.get(0));
      assertEquals(messages.get(0), messages.get(1));
      assertEquals(List.of(), entries(folder.resolve("cache")));
    }
  }

  /** It is over before all is encoded: what it says of the data is whole nevertheless. */
  @Test
  void aShortRunKnowsItsData() throws IOException {
    Path data = table("train.tsv", Task.CLASSIFICATION, false, 5000, 1);
    for (boolean streaming : new boolean[] {false, true}) {
      model(Task.CLASSIFICATION)
          .train(
              Dataset.file(data),
              arguments()
                  .evalSteps(0)
                  .maxSteps(1)
                  .shuffle(false)
                  .streaming(streaming)
                  .outputDir(folder.resolve("run" + ++runs))
                  .build());
    }
    JsonNode expected = Runs.record(run(1)).path("data");
    assertTrue(expected.has("lengths"), expected::toString);
    assertTrue(expected.path("paddingShare").asDouble() > 0, expected::toString);
    assertEquals(expected, Runs.record(run(2)).path("data"));
  }

  /** The first batches have none of it. */
  @Test
  void aBadRowAfterTheLastStepUndoesNothing() throws IOException {
    Path tokenizer = encoder.resolve("tokenizer.json");
    String json = Files.readString(tokenizer);
    Files.writeString(tokenizer, json.replace("\"[UNK]\":1", "\"[UNK]\":1,\"zebra\":77"));
    Path data =
        Files.writeString(
            folder.resolve("train.tsv"),
            "text\tlabel\n" + "good film\tlow\n".repeat(3000) + "zebra\tlong\n");
    TrainingResult result =
        model(Task.CLASSIFICATION)
            .train(
                Dataset.file(data),
                arguments()
                    .evalSteps(0)
                    .maxSteps(1)
                    .shuffle(false)
                    .streaming(true)
                    .outputDir(folder.resolve("run1"))
                    .build());
    assertTrue(
        result.notes().stream()
            .anyMatch(n -> n.startsWith("no step was of it") && n.contains("train.tsv:3002")),
        result.notes()::toString);
    assertEquals("finished", Runs.record(run(1)).path("status").asText());
    assertTrue(Files.exists(run(1).resolve("adapter")));
  }

  @Test
  void whatIsNotStreamedIsSaidToWhoAsksForIt() throws IOException {
    Path pairs =
        Files.writeString(
            folder.resolve("pairs.tsv"),
            "query\tdocument\tlabel\n" + "good\tfilm\t1\ngood\tbad\t0\n".repeat(4));
    TrainingArguments.Builder arguments = arguments().evalSteps(0).numTrainEpochs(1);
    Model.open(encoder)
        .withNotes(notes::add)
        .addHead(HeadConfig.of(Task.RERANK, List.of()))
        .inject(LoraConfig.builder().targetModules("query").rank(2).build())
        .train(Dataset.file(pairs), arguments.streaming(true).build());
    assertTrue(
        notes.contains(pairs + " is held in memory: a training of rerank is not streamed"),
        notes::toString);
    model(Task.CLASSIFICATION)
        .train(
            Dataset.of(List.of(Example.of("good film", "low"), Example.of("bad", "long"))),
            arguments.build());
    assertTrue(
        notes.contains("examples is held in memory: examples of a program are there already"),
        notes::toString);
  }

  @Test
  void tokensAreHeldInMemoryAndNeedNoTokenizer() throws IOException {
    Files.delete(encoder.resolve("tokenizer.json"));
    Path heldOut = table("dev.tsv", Task.CLASSIFICATION, false, 20, 2);
    Path data =
        Files.writeString(
            folder.resolve("train.jsonl"), "{\"input_ids\":[1,2],\"label\":\"low\"}\n".repeat(20));
    model(Task.CLASSIFICATION)
        .train(Dataset.file(data), arguments().evalSteps(0).streaming(true).build());
    assertTrue(
        notes.contains(data + " has tokens in the place of texts: it is held in memory"),
        notes::toString);
    LoraGraphException texts =
        assertThrows(
            LoraGraphException.class,
            () ->
                model(Task.CLASSIFICATION)
                    .train(
                        Dataset.file(heldOut), arguments().evalSteps(0).streaming(true).build()));
    assertTrue(texts.getMessage().contains("no tokenizer.json beside"), texts.getMessage());
  }
}
