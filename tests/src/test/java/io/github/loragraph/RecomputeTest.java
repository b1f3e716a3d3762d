package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.loragraph.check.Oracle;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.OnnxFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whole runs that compute layers a second time for the way back, against the same that keep all:
 * rows of several lengths, in batches of which the last of an epoch is smaller.
 */
class RecomputeTest {
  /** Some roundings of single precision, over the steps of a run. */
  private static final float SAME = 1e-5f;

  @TempDir Path folder;
  private Trainings trainings;
  private float same = SAME;

  TrainingArguments.Engine engine() {
    return TrainingArguments.Engine.GRAPH;
  }

  @BeforeEach
  void prepare() throws Exception {
    trainings = new Trainings(folder);
  }

  private Cli run(String name, Path model, Object... more) {
    List<Object> all = new ArrayList<>(List.of("train", model, "--epochs", 2, "--threads", 1));
    all.addAll(List.of("--engine", engine().name().toLowerCase(Locale.ROOT).replace('_', '-')));
    all.addAll(List.of("--batch-size", 16, "--lr", "1e-3", "--epsilon", "1e-4"));
    all.addAll(List.of("--log-every", 1, "-o", folder.resolve(name)));
    all.addAll(List.of(more));
    return Cli.run(all.toArray());
  }

  private Path train(String name, Path model, Object... more) {
    Cli cli = run(name, model, more);
    assertEquals(0, cli.exitCode(), cli.err());
    return folder.resolve(name);
  }

  /** Trains with and without, by the same data where none is named. */
  private void assertSame(Path model, Object... options) throws Exception {
    boolean named = Arrays.asList(options).contains("--data");
    Object[] all = named ? options : Cli.with(options, "--data", trainings.data());
    Path kept = train("kept", model, all);
    Path again = train("again", model, Cli.with(all, "--recompute"));
    assertTrue(Files.readString(again.resolve("config.yaml")).contains("recompute: true"));
    Runs.assertSame(kept, again, same, same);
  }

  /** What is dropped is the same both times. */
  @Test
  void adapters() throws Exception {
    assertSame(trainings.model(), "--lora-dropout", 0.2, "--accumulate", 2, "--micro-batch", 5);
  }

  @Test
  void allThatIsTrained() throws Exception {
    assertSame(folder.resolve("model.onnx"), "--method", "full", "--max-grad-norm", 0.1);
  }

  @Test
  void labelsOfTokens() throws Exception {
    Path words =
        EntityCorpus.conll(folder.resolve("train.conll"), EntityCorpus.sentences(50, 1), true);
    Path tagger = EntityCorpus.tagger(folder, words);
    assertSame(tagger, "--data", words, "--method", "full");
  }

  @Test
  void maskedTokens() throws Exception {
    Path model = MaskedModels.write(folder.resolve("mlm"), MaskedModels.Tie.COPIED);
    Cli.json("inject", model, "--match", "query|value", "--rank", 4);
    Path texts = Files.writeString(folder.resolve("domain.txt"), MaskedModels.texts(50, 1));
    assertSame(model.resolve("model.lora.onnx"), "--data", texts, "--task", "masked-lm");
  }

  @Test
  void withFrozenLayersInEightBits() throws Exception {
    // What is rounded to one of 255 steps may change by a whole one where its last digit does.
    same = 1e-3f;
    Path original = folder.resolve("wide.onnx");
    OnnxFile.write(new ReferenceArchitecture(128, 2, 4, 256, 200, 40, 2).model(3), original, false);
    Cli.json("inject", original, "--match", "query|output", "--rank", 4);
    assertSame(folder.resolve("wide.lora.onnx"), "--base", "int8");
  }

  @Test
  void severalStepsInACallAndSixteenBits() throws Exception {
    assumeTrue(engine() == TrainingArguments.Engine.GRAPH);
    assertSame(trainings.model(), "--steps-per-call", 3, "--precision", "fp16");
  }

  @Test
  void behindLayersThatAreKept() throws Exception {
    Path original = folder.resolve("below.onnx");
    Files.copy(Oracle.of("tiny-roberta").modelFile(), original);
    Cli.json("inject", original, "--match", "query|output", "--rank", 4);
    assertSame(folder.resolve("below.lora.onnx"), "--cache-prefix");
  }

  /** More than 4 MB of scores in a batch, which are computed some heads at a time, and so again. */
  @Test
  void longTexts() throws Exception {
    Path original = folder.resolve("long.onnx");
    OnnxFile.write(new ReferenceArchitecture(16, 2, 4, 32, 200, 150, 2).model(3), original, false);
    Cli.json("inject", original, "--match", "query|output", "--rank", 2);
    Path texts = Trainings.rows(folder.resolve("long.jsonl"), 40, 130, 10, 6);
    assertSame(folder.resolve("long.lora.onnx"), "--data", texts, "--micro-batch", "all");
  }

  @Test
  void goesOnToTheSameBytes() throws Exception {
    Object[] options = {"--data", trainings.data(), "--lora-dropout", 0.2, "--recompute"};
    Path straight = train("straight", trainings.model(), options);
    Path stopped = train("stopped", trainings.model(), Cli.with(options, "--stop-after", 3));
    assertEquals(0, Cli.run("train", "--resume", stopped).exitCode());
    assertArrayEquals(Runs.learned(straight), Runs.learned(stopped));
    assertEquals(Trainings.figures(straight), Trainings.figures(stopped));
  }

  @Test
  void whereNothingIsKeptThereIsNothingToSave() throws Exception {
    Cli cli =
        run(
            "head",
            folder.resolve("model.onnx"),
            "--data",
            trainings.data(),
            "--method",
            "head",
            "--recompute");
    assertNotEquals(0, cli.exitCode());
    assertTrue(cli.err().contains("leave out --recompute"), cli.err());
  }
}
