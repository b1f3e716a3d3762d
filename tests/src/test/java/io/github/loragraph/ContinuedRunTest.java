package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.trainer.RunRecord;
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

  /** Its page says which run it continues, where it went on, and how long both took. */
  private void assertNamesTheRunBefore(Path run, Path former, int step) throws IOException {
    String page = Files.readString(run.resolve("report.html"));
    String link = "<a href=\"../%s/report.html\">".formatted(former.getFileName());
    assertTrue(page.contains("Continues " + link), page);
    assertTrue(page.contains("after its step " + step), page);
    assertTrue(page.contains("of this run alone, from step %d on".formatted(step + 1)), page);
    assertTrue(page.contains("with the runs before "), page);
    double seconds = RunRecord.read(former).orElseThrow().wallSecondsOfAll().getAsDouble();
    RunRecord record = RunRecord.read(run).orElseThrow();
    assertEquals(
        seconds + record.wallSeconds().getAsDouble(),
        record.wallSecondsOfAll().getAsDouble(),
        1e-9);

    // Both are moved, or the former one is there no more.
    Path place = Files.createDirectories(folder.resolve("moved"));
    Path away = Files.move(former, place.resolve(former.getFileName()));
    Path moved = Files.move(run, place.resolve(run.getFileName()));
    Cli.json("report", moved);
    assertTrue(Files.readString(moved.resolve("report.html")).contains("Continues " + link));
    Files.move(moved, run);
    Path html = folder.resolve("page.html");
    Cli.json("report", run, "-o", html);
    assertTrue(
        Files.readString(html).contains("(%s, which is not there any more)".formatted(former)));
    Files.move(away, former);
  }

  /** Whether it helped is seen: what the run before ended with stands beside the new figures. */
  private static void assertFiguresBefore(Path run, Path former) throws Exception {
    RunRecord record = RunRecord.read(run).orElseThrow();
    RunRecord before = RunRecord.read(former).orElseThrow();
    assertEquals(before.figures(), record.figuresBefore());
    String loss = "%.4f".formatted(before.figures().get("loss"));
    String page = Files.readString(run.resolve("report.html"));
    assertTrue(page.contains("<small>before: %s</small>".formatted(loss)), page);
    assertTrue(page.contains("Before: what the run that it continues ended with."), page);
    String cells = page.replaceAll("<[^>]*>", " ").replaceAll("\\s+", " ");
    assertTrue(cells.contains(" figure before value loss " + loss + " "), cells);
    String row = " loss %s %.4f ".formatted(loss, record.figures().get("loss"));
    assertTrue(cells.contains(row), cells);
  }

  private static void assertNoFiguresBefore(Path run) throws Exception {
    assertEquals(Map.of(), RunRecord.read(run).orElseThrow().figuresBefore());
    String page = Files.readString(run.resolve("report.html"));
    assertTrue(page.contains("Of the run that it continues no figures on these data"), page);
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

    assertNamesTheRunBefore(more, two, 8);
    assertFiguresBefore(more, two);

    // In two parts, and stopped.
    Path stopped = folder.resolve("stopped");
    ok(List.of("train", "--continue-from", two, "--epochs", 1, "--stop-after", 10, "-o", stopped));
    ok(List.of("train", "--resume", stopped));
    assertArrayEquals(weights(three), weights(stopped));
    assertNamesTheRunBefore(stopped, two, 8);
    assertFiguresBefore(stopped, two);
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
    process(arguments(two, 1.25, "--engine", "training-api"));
    process(List.of("train", "--continue-from", two, "--steps", 2));
    Path more = folder.resolve("two-continued");
    process(List.of("train", "--continue-from", more, "--steps", 5));
    assertArrayEquals(weights(three), weights(folder.resolve("two-continued-continued")));
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
    double epoch = firstEpoch(more);
    assertTrue(epoch > 3 && epoch < 4, "epoch " + epoch);
    assertTrue(Files.exists(more.resolve("optimizer.ckpt")));
  }

  private static JsonNode json(Path file, int line) throws IOException {
    return new ObjectMapper().readTree(Files.readAllLines(file).get(line));
  }

  private static double firstEpoch(Path run) throws IOException {
    return json(run.resolve("metrics.jsonl"), 0).path("epoch").asDouble();
  }

  /** Of six steps two are of a second epoch: in another order its rows cannot be told apart. */
  @Test
  void inAnotherOrderItGoesOnWithTheNextEpoch() throws Exception {
    Path run = folder.resolve("run");
    ok(arguments(run, 1.5));
    Path rows = folder.resolve("more.jsonl");
    Files.write(rows, Files.readAllLines(trainings.data()).subList(0, 30));
    record Other(List<Object> options, double ofEpoch, int rows, int stepsPerEpoch) {}
    List<Other> others =
        List.of(
            new Other(List.of("--accumulate", 1), 1 / 7.0, 50, 7),
            new Other(List.of("--batch-size", 16, "--accumulate", 1), 1 / 4.0, 50, 4),
            new Other(List.of("--seed", 3), 2 / 7.0, 50, 4),
            new Other(List.of("--data", rows), 2 / 4.0, 30, 2));
    for (Other other : others) {
      List<Object> all = with(continuing(run), "--log-every", 1, "--force");
      all.addAll(other.options());
      Cli cli = ok(all);
      Path more = folder.resolve("run-continued");
      assertEquals(2 + other.ofEpoch(), firstEpoch(more), 1e-9, other::toString);
      assertTrue(cli.err().contains("after its 6 steps, with epoch 3: --"), cli.err());
      JsonNode record = Runs.record(more);
      assertEquals(other.rows(), record.path("trainedExamples").asInt());
      JsonNode passed = record.path("passed");
      assertEquals(3 * other.stepsPerEpoch(), passed.path("steps").asInt());
      assertEquals(other.stepsPerEpoch(), passed.path("stepsPerEpoch").asInt());
    }
  }

  /** Where no line of the metrics says how far a run came, and no optimizer counts its steps. */
  @Test
  void withoutLogAndWithoutMomentsTheOrderGoesOn() throws Exception {
    Path full = folder.resolve("full");
    List<Object> arguments = arguments(full, 1, "--method", "full");
    arguments.set(arguments.indexOf("--log-every") + 1, 0);
    arguments.set(arguments.indexOf("--eval-every") + 1, 0);
    ok(arguments);
    Path more = folder.resolve("full-continued");
    ok(List.of("train", "--continue-from", full, "--epochs", 1));
    Cli cli = ok(List.of("train", "--continue-from", more, "--steps", 1, "--log-every", 1));
    assertTrue(cli.err().contains(more + " is continued after its 8 steps"), cli.err());
    assertTrue(cli.err().contains("a run of 1 steps is too short to measure engines"), cli.err());
    assertEquals(2 + 2 / 7.0, firstEpoch(folder.resolve("full-continued-continued")), 1e-9);
  }

  /** The rows that are measured with are never those that one of the runs was trained on. */
  @Test
  void whatWasTrainedOnIsNotHeldOut() throws Exception {
    List<Object> usual =
        List.of("train", trainings.model(), "--data", trainings.data(), "--epochs", 1);
    Path split = folder.resolve("split");
    ok(with(usual, "--eval-split", 0.2, "--seed", 4, "-o", split));
    Path all = folder.resolve("all");
    ok(with(usual, "-o", all));

    refused(
        1,
        "give --eval-split as it was, 0.2 and not 0.3",
        "--continue-from",
        split,
        "--epochs",
        1,
        "--eval-split",
        0.3);
    refused(
        1, "--eval-split-seed as it was, ", "--continue-from", split, "--epochs", 1, "--seed", 5);
    refused(
        1, "without holding any out", "--continue-from", all, "--epochs", 1, "--eval-split", 0.2);
    assertFalse(Files.exists(folder.resolve("all-continued")));

    Cli same = ok(continuing(split));
    assertTrue(same.err().contains("held out: 10 of 50 examples"), same.err());
    Path more = folder.resolve("split-continued");
    ok(List.of("train", "--continue-from", more, "--epochs", 1, "--seed", 4));
    Path rest = folder.resolve("rest");
    Cli taken = ok(with(continuing(more), "--eval", trainings.data(), "-o", rest));
    assertFiguresBefore(more, split);
    assertNoFiguresBefore(rest);
    assertTrue(taken.err().contains("held out a share of 0.2 of these data, which"), taken.err());
    refused(
        1, "without holding any out", "--continue-from", rest, "--epochs", 1, "--eval-split", 0.2);

    // Also where other data came between.
    Path rows = folder.resolve("other.jsonl");
    Files.write(rows, Files.readAllLines(trainings.data()).subList(0, 30));
    Path between = folder.resolve("between");
    Cli other = ok(with(continuing(all), "--data", rows, "--eval-split", 0.2, "-o", between));
    assertTrue(other.err().contains(all + " was trained on other data: rows"), other.err());
    Object data = trainings.data();
    refused(
        1,
        "all was trained on these data",
        "--continue-from",
        between,
        "--epochs",
        1,
        "--data",
        data);
  }

  /** An option that says yes says so beside a file that says it, too. */
  @Test
  void whatTheFileSaysTooStays() throws Exception {
    Path run = folder.resolve("run");
    ok(arguments(run, 1, "--write-model"));
    ok(with(continuing(run), "--write-model"));
    assertTrue(Files.exists(folder.resolve("run-continued/model.onnx")));
    Path again = folder.resolve("again");
    ok(List.of("train", "--config", run.resolve("config.yaml"), "--write-model", "-o", again));
    assertTrue(Files.exists(again.resolve("model.onnx")));
  }

  private static List<Object> continuing(Path run) {
    return List.of("train", "--continue-from", run, "--epochs", 1);
  }

  private static List<Object> with(List<Object> arguments, Object... more) {
    List<Object> all = new ArrayList<>(arguments);
    all.addAll(List.of(more));
    return all;
  }

  @Test
  void withoutMomentsItIsSaid() throws Exception {
    Path full = folder.resolve("full");
    ok(arguments(full, 1, "--method", "full"));
    assertFalse(Files.exists(full.resolve("optimizer.ckpt")));
    Cli cli = ok(List.of("train", "--continue-from", full, "--epochs", 1));
    assertTrue(cli.err().contains("kept no state of its optimizer"), cli.err());
    assertEquals(1 + 4 / 7.0, firstEpoch(folder.resolve("full-continued")), 1e-9);
  }

  @Test
  void whatCannotBe() throws Exception {
    Path run = folder.resolve("run");
    ok(arguments(run, 2, "--stop-after", 3));
    refused(1, "is not the folder of a finished run", "--continue-from", run, "--epochs", 1);
    refused(1, "no such run", "--continue-from", folder.resolve("none"), "--epochs", 1);
    ok(List.of("train", "--resume", run));
    refused(
        1,
        "is finished: train it further with 'lora-graph train --continue-from " + run,
        "--resume",
        run);
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
