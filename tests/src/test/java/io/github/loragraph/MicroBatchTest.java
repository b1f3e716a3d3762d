package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.check.Oracle;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whole runs whose batches are computed in pieces, against the same in one piece: rows of several
 * lengths, 50 of them in batches of 16, of which the last of an epoch has 2.
 */
class MicroBatchTest {
  private static final double CURVE = 1e-5;
  private static final float FINAL = 1e-5f;

  @TempDir Path folder;
  private Trainings trainings;
  private int batchSize = 16;
  private int epochs = 2;

  TrainingArguments.Engine engine() {
    return TrainingArguments.Engine.GRAPH;
  }

  @BeforeEach
  void prepare() throws IOException {
    trainings = new Trainings(folder);
  }

  private Path train(String name, Path model, Path data, Object... more) {
    Path run = folder.resolve(name);
    List<Object> all = new ArrayList<>(List.of("train", model, "--data", data, "--threads", 1));
    all.addAll(List.of("--engine", engine().name().toLowerCase(Locale.ROOT).replace('_', '-')));
    all.addAll(
        List.of(
            "--batch-size", batchSize, "--epochs", epochs, "--lr", "1e-3", "--epsilon", "1e-4"));
    all.addAll(List.of("--log-every", 1, "-o", run));
    all.addAll(List.of(more));
    Cli cli = Cli.run(all.toArray());
    assertEquals(0, cli.exitCode(), cli.err());
    return run;
  }

  private static void assertSame(Path whole, Path pieces) throws IOException {
    Runs.assertSame(whole, pieces, CURVE, FINAL);
  }

  private static String microBatch(Path run) throws IOException {
    return Runs.record(run).get("microBatch").asText();
  }

  @ParameterizedTest
  @ValueSource(strings = {"3", "24-tokens"})
  void piecesOfABatchAreTheBatch(String size) throws IOException {
    Object[] options = {"--class-weights", "1,3", "--label-smoothing", 0.1, "--accumulate", 3};
    Path whole = train("whole", trainings.model(), trainings.data(), options);
    Path pieces =
        train(
            "pieces",
            trainings.model(),
            trainings.data(),
            Cli.with(options, "--micro-batch", size));
    assertEquals("all", microBatch(whole));
    assertEquals(size, microBatch(pieces));
    assertSame(whole, pieces);
    // Less of a piece is padding, where it has rows of about one length.
    double padding = Runs.record(whole).at("/data/paddingShare").asDouble();
    assertTrue(Runs.record(pieces).at("/data/paddingShare").asDouble() <= padding);
  }

  /** In the order of the file each batch has all lengths. */
  @Test
  void ofAllThatIsTrained() throws IOException {
    Object[] options = {"--method", "full", "--no-shuffle", "--max-grad-norm", 0.1};
    Path original = folder.resolve("model.onnx");
    Path whole = train("whole", original, trainings.data(), options);
    assertSame(
        whole, train("pieces", original, trainings.data(), Cli.with(options, "--micro-batch", 5)));
  }

  /**
   * Long texts, of which the scores of a whole batch are computed some heads at a time (4 MB and
   * more of them), and those of a small piece at once.
   */
  @Test
  void longTexts() throws IOException {
    Path original = folder.resolve("long.onnx");
    OnnxFile.write(new ReferenceArchitecture(16, 2, 4, 32, 200, 140, 2).model(3), original, false);
    Cli.json("inject", original, "--match", "query|output", "--rank", 2);
    Path texts = Trainings.rows(folder.resolve("long.jsonl"), 50, 90, 40, 6);
    Path model = folder.resolve("long.lora.onnx");
    batchSize = 25;
    Path whole = train("whole", model, texts, "--micro-batch", "all");
    assertSame(whole, train("pieces", model, texts, "--micro-batch", 3));
  }

  @Test
  void aPieceAsLargeAsTheBatchIsTheBatch() throws IOException {
    Path whole = train("whole", trainings.model(), trainings.data(), "--micro-batch", "all");
    Path large = train("large", trainings.model(), trainings.data(), "--micro-batch", 16);
    assertEquals("all", microBatch(large));
    assertArrayEquals(Runs.learned(whole), Runs.learned(large));
  }

  @Test
  void maskedTokens() throws IOException {
    Path model = MaskedModels.write(folder.resolve("mlm"), MaskedModels.Tie.COPIED);
    Cli.json("inject", model, "--match", "query|value", "--rank", 4);
    Path adapted = model.resolve("model.lora.onnx");
    Path texts = Files.writeString(folder.resolve("domain.txt"), MaskedModels.texts(50, 1));
    Path whole = train("whole", adapted, texts, "--task", "masked-lm");
    assertSame(whole, train("pieces", adapted, texts, "--task", "masked-lm", "--micro-batch", 3));
  }

  @Test
  void labelsOfTokens() throws IOException {
    Path words =
        EntityCorpus.conll(folder.resolve("train.conll"), EntityCorpus.sentences(50, 1), true);
    Path tagger = EntityCorpus.tagger(folder, words);
    Path whole = train("whole", tagger, words, "--method", "full", "--accumulate", 2);
    assertSame(
        whole,
        train(
            "pieces",
            tagger,
            words,
            "--method",
            "full",
            "--accumulate",
            2,
            "--micro-batch",
            "20-tokens"));
  }

  /** Its answers depend on the padding, which is the whole batch's in each piece. */
  @Test
  void aModelWithoutAMask() throws IOException {
    OnnxModel model = Oracle.of("tiny-roberta").model();
    Graph graph = model.graph().copy();
    graph.removeInput("attention_mask");
    graph.putInitializer(Tensor.ofLongs("one", new long[] {1}, 1));
    Node first = graph.nodes().get(0);
    graph.insertBefore(first, Node.of("/shape", "Shape", List.of("input_ids"), List.of("shape")));
    graph.insertBefore(
        first, Node.of("/all", "Expand", List.of("one", "shape"), List.of("attention_mask")));
    Path blind = folder.resolve("blind.onnx");
    OnnxFile.write(model.withGraph(graph), blind, false);
    Path whole = train("whole", blind, trainings.data(), "--method", "full", "--no-shuffle");
    assertSame(
        whole,
        train(
            "pieces",
            blind,
            trainings.data(),
            "--method",
            "full",
            "--no-shuffle",
            "--micro-batch",
            4));
  }

  /** With dropout, which is drawn for each piece, and in the midst of an epoch. */
  @Test
  void goesOnToTheSameBytes() throws IOException {
    Object[] options = {"--micro-batch", 3, "--lora-dropout", 0.2, "--accumulate", 2};
    Path straight = train("straight", trainings.model(), trainings.data(), options);
    Path stopped =
        train("stopped", trainings.model(), trainings.data(), Cli.with(options, "--stop-after", 3));
    assertEquals("3", microBatch(stopped));
    assertEquals(0, Cli.run("train", "--resume", stopped).exitCode());
    assertArrayEquals(Runs.learned(straight), Runs.learned(stopped));
    assertEquals(Trainings.figures(straight), Trainings.figures(stopped));

    Object[] more = {"--micro-batch", 3, "--schedule", "constant", "--lora-dropout", 0.2};
    Path two = train("two", trainings.model(), trainings.data(), more);
    epochs = 3;
    Path three = train("three", trainings.model(), trainings.data(), more);
    Path last = folder.resolve("last");
    Cli.json("train", "--continue-from", two, "--epochs", 1, "-o", last);
    assertEquals("3", microBatch(last));
    assertArrayEquals(Runs.learned(three), Runs.learned(last));
  }

  /** Measuring leaves nothing behind, and what was taken is kept, whatever the clock says later. */
  @Test
  void whatIsMeasuredIsKept() throws IOException {
    Random random = new Random(6);
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 1000; i++) {
      int[] ids = random.ints(3 + random.nextInt(8), 4, 200).toArray();
      lines.append("{\"input_ids\":%s,\"label\":%d}\n".formatted(Arrays.toString(ids), i % 2));
    }
    Path data = Files.writeString(folder.resolve("many.jsonl"), lines);
    batchSize = 1000;
    epochs = 250;
    Object[] options = {"--lora-dropout", 0.2, "--stop-after", 1, "--micro-batch"};
    Path measured = train("measured", trainings.model(), data, Cli.with(options, "auto"));
    String taken = microBatch(measured);
    assertTrue(taken.matches("(256|512|1024|2048)-tokens"), taken);
    Path given = train("given", trainings.model(), data, Cli.with(options, taken));
    assertEquals(Trainings.figures(given), Trainings.figures(measured));
    for (Path run : List.of(measured, given)) {
      assertEquals(0, Cli.run("train", "--resume", run, "--stop-after", 2).exitCode());
      assertEquals(taken, microBatch(run));
    }
    assertEquals(2, Runs.losses(measured).size());
    // Adapters are much of so small a model.
    Path ruled = train("ruled", trainings.model(), data, "--stop-after", 1);
    assertEquals("1024-tokens", microBatch(ruled));
    assertEquals(Trainings.figures(given), Trainings.figures(measured));
  }

  /** As before there were pieces: what dropout drops of a batch in one piece is the same. */
  @Test
  void piecesDropOtherNumbers() throws IOException {
    Object[] options = {"--lora-dropout", 0.2};
    Path whole = train("whole", trainings.model(), trainings.data(), options);
    Path pieces =
        train(
            "pieces",
            trainings.model(),
            trainings.data(),
            "--lora-dropout",
            0.2,
            "--micro-batch",
            3);
    assertNotEquals(Runs.losses(whole), Runs.losses(pieces));
  }
}
