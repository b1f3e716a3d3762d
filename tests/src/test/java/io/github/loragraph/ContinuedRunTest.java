package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two epochs and one more are three, to the last bit, where the learning rate is constant: 50 rows
 * in batches of 8, two in a step, are 4 steps an epoch.
 */
class ContinuedRunTest {
  @TempDir Path folder;
  private Trainings trainings;

  @BeforeEach
  void prepare() throws IOException {
    trainings = new Trainings(folder);
  }

  private List<Object> arguments(Path run, double epochs, Object... more) {
    List<Object> all = new ArrayList<>();
    all.addAll(List.of("train", trainings.model(), "--data", trainings.data()));
    all.addAll(List.of("--eval", trainings.data(), "--no-save-best", "--eval-every", 4));
    all.addAll(List.of("--epochs", epochs, "--schedule", "constant", "--lr", 0.005));
    all.addAll(List.of("--accumulate", 2, "--lora-dropout", 0.1, "--log-every", 2));
    all.addAll(List.of("--checkpoint-every", 3, "--threads", 1, "-o", run));
    all.addAll(List.of(more));
    return all;
  }

  private static Cli ok(List<Object> arguments) {
    Cli cli = Cli.run(arguments.toArray());
    assertEquals(0, cli.exitCode(), cli.err());
    return cli;
  }

  private static byte[] weights(Path run) throws IOException {
    return Files.readAllBytes(run.resolve("adapter/adapter_model.safetensors"));
  }

  @Test
  void twoEpochsAndOneMoreAreThree() throws Exception {
    Path three = folder.resolve("three");
    Path two = folder.resolve("two");
    ok(arguments(three, 3));
    ok(arguments(two, 2));
    Cli cli = ok(List.of("train", "--continue-from", two, "--epochs", 1));
    Path more = folder.resolve("two-continued");
    assertTrue(cli.err().contains(two + " is continued after its 8 steps"), cli.err());
    assertArrayEquals(weights(three), weights(more));
    List<String> figures = Trainings.figures(two);
    figures.addAll(Trainings.figures(more));
    assertEquals(Trainings.figures(three), figures);

    // In two parts, and stopped.
    Path stopped = folder.resolve("stopped");
    ok(List.of("train", "--continue-from", two, "--epochs", 1, "--stop-after", 10, "-o", stopped));
    ok(List.of("train", "--resume", stopped));
    assertArrayEquals(weights(three), weights(stopped));
    List<String> parts = Trainings.figures(stopped);
    assertTrue(parts.removeIf(line -> line.startsWith("{\"step\":10,\"evalLoss\"")));
    assertEquals(Trainings.figures(more), parts);
    Path four = folder.resolve("four");
    Path further = folder.resolve("further");
    ok(arguments(four, 4));
    ok(List.of("train", "--continue-from", more, "--steps", 4, "-o", further));
    assertArrayEquals(weights(four), weights(further));
  }

  @Test
  void byTheTrainingApi() throws Exception {
    Path three = folder.resolve("three");
    Path two = folder.resolve("two");
    process(arguments(three, 3, "--engine", "training-api"));
    process(arguments(two, 2, "--engine", "training-api"));
    process(List.of("train", "--continue-from", two, "--epochs", 1));
    assertArrayEquals(weights(three), weights(folder.resolve("two-continued")));
  }

  private void process(List<Object> arguments) throws Exception {
    String[] words = arguments.stream().map(Object::toString).toArray(String[]::new);
    assertEquals(0, Trainings.start(folder, words).waitFor(), trainings::log);
  }

  /** The best one is what a run leaves, with the moments of its step; the order goes on. */
  @Test
  void fromTheBestEvaluationAndFromAStoppedRun() throws Exception {
    Path best = folder.resolve("best");
    List<Object> arguments = arguments(best, 3);
    arguments.removeAll(List.of("--no-save-best"));
    arguments.addAll(List.of("--metric-for-best-model", "loss"));
    ok(arguments);
    ok(List.of("train", "--continue-from", best, "--epochs", 1));
    Path more = folder.resolve("best-continued");
    double epoch =
        new ObjectMapper()
            .readTree(Files.readAllLines(more.resolve("metrics.jsonl")).get(0))
            .path("epoch")
            .asDouble();
    assertTrue(epoch > 3 && epoch < 4, "epoch " + epoch);
    assertTrue(Files.exists(more.resolve("optimizer.ckpt")));
  }

  @Test
  void withoutMomentsItIsSaid() throws Exception {
    Path full = folder.resolve("full");
    ok(arguments(full, 1, "--method", "full"));
    assertFalse(Files.exists(full.resolve("optimizer.ckpt")));
    Cli cli = ok(List.of("train", "--continue-from", full, "--epochs", 1));
    assertTrue(cli.err().contains("kept no state of its optimizer"), cli.err());
    Map<?, ?> first =
        new ObjectMapper()
            .readValue(
                Files.readAllLines(folder.resolve("full-continued/metrics.jsonl")).get(0),
                Map.class);
    assertTrue(((Number) first.get("epoch")).doubleValue() > 1, first::toString);
  }

  @Test
  void whatCannotBe() throws Exception {
    Path run = folder.resolve("run");
    ok(arguments(run, 2, "--stop-after", 3));
    refused(1, "is not the folder of a finished run", "--continue-from", run, "--epochs", 1);
    refused(1, "no such run", "--continue-from", folder.resolve("none"), "--epochs", 1);
    ok(List.of("train", "--resume", run));
    refused(2, "give one of the two", "--continue-from", run);
    refused(
        1,
        "give the run itself as the model",
        trainings.model(),
        "--continue-from",
        run,
        "--epochs",
        1);
  }

  private static void refused(int exitCode, String words, Object... arguments) {
    List<Object> all = new ArrayList<>(List.of("train"));
    all.addAll(List.of(arguments));
    Cli cli = Cli.run(all.toArray());
    assertEquals(exitCode, cli.exitCode(), cli.err());
    assertTrue(cli.err().contains(words), cli.err());
  }
}
