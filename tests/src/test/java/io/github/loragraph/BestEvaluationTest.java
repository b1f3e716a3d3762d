package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.CheckpointFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.trainer.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A run with several evaluations ends with the parameters of the best one: those that the run has
 * which is stopped there, however the run was made and interrupted. 50 rows in batches of 8, two in
 * a step, are 4 steps an epoch.
 */
class BestEvaluationTest {
  private static final int STEPS = 24;

  @TempDir Path folder;
  private Trainings trainings;
  private Path heldOut;

  @BeforeEach
  void prepare() throws IOException {
    trainings = new Trainings(folder);
    Random random = new Random(11);
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 30; i++) {
      int[] ids = random.ints(3 + random.nextInt(8), 4, 200).toArray();
      lines.append(
          "{\"input_ids\":%s,\"label\":%d}\n"
              .formatted(
                  Arrays.toString(ids), random.nextInt(4) == 0 ? 1 - ids[0] % 2 : ids[0] % 2));
    }
    heldOut = Files.writeString(folder.resolve("dev.jsonl"), lines);
  }

  private List<Object> arguments(Path run, Object... more) {
    List<Object> usual = new ArrayList<>(List.of("--data", trainings.data(), "--eval", heldOut));
    usual.addAll(List.of("--eval-every", 3, "--steps", STEPS, "--lr", 0.02, "--accumulate", 2));
    usual.addAll(List.of("--lora-dropout", 0.1, "--log-every", 4, "--checkpoint-every", 5));
    usual.addAll(List.of("--threads", 1, "-o", run));
    List<Object> all = new ArrayList<>(List.of("train", trainings.model()));
    List<Object> others = List.of(more);
    for (int i = 0; i < usual.size(); i += 2) {
      if (!others.contains(usual.get(i))) {
        all.addAll(usual.subList(i, i + 2));
      }
    }
    all.addAll(others);
    return all;
  }

  private static Cli ok(List<Object> arguments) {
    Cli cli = Cli.run(arguments.toArray());
    assertEquals(0, cli.exitCode(), cli.err());
    return cli;
  }

  private JsonNode json(Path run, Object... more) throws IOException {
    List<Object> arguments = arguments(run, more);
    arguments.add("--json");
    return new ObjectMapper().readTree(ok(arguments).out());
  }

  /** The step of the best line of the metrics, of equal ones the first. */
  private static long bestOf(Path run, String figure, boolean less) throws IOException {
    long best = 0;
    double value = less ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY;
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      JsonNode entry = new ObjectMapper().readTree(line).path(figure);
      if (entry.isNumber() && (less ? entry.asDouble() < value : entry.asDouble() > value)) {
        value = entry.asDouble();
        best = new ObjectMapper().readTree(line).path("step").asLong();
      }
    }
    return best;
  }

  /** The parameters of a run are those of another at the step that it was stopped after. */
  private static void assertHasParameters(Path run, Path stopped, long step) {
    assertTrue(RunFolder.isUnfinished(stopped));
    Checkpoint checkpoint =
        CheckpointFile.readChecked(stopped.resolve("checkpoints/step-%08d".formatted(step)));
    OnnxModel model = Runs.model(run);
    assertFalse(checkpoint.trainable().isEmpty());
    for (Tensor tensor : checkpoint.trainable()) {
      Tensor there = model.graph().initializers().get(tensor.name());
      assertArrayEquals(tensor.toFloats(), there.toFloats(), tensor.name());
    }
  }

  /** Evaluations are counted for patience also where no parameters of the best are kept. */
  @Test
  void aRunThatKeepsNoBestIsGoneOnWith() throws Exception {
    Path whole = folder.resolve("whole");
    Path parts = folder.resolve("parts");
    List<Object> without = arguments(whole, "--patience", 7);
    without.add("--no-save-best");
    ok(without);
    List<Object> stopped = arguments(parts, "--patience", 7);
    stopped.addAll(List.of("--no-save-best", "--stop-after", 14));
    ok(stopped);
    ok(List.of("train", "--resume", parts));
    assertArrayEquals(
        Files.readAllBytes(whole.resolve("adapter/adapter_model.safetensors")),
        Files.readAllBytes(parts.resolve("adapter/adapter_model.safetensors")));
  }

  @Test
  void byEachFigureTheBestIsWritten() throws Exception {
    for (String metric : List.of("score", "loss", "eval_macroF1")) {
      Path run = folder.resolve("run-" + metric);
      JsonNode said =
          metric.equals("score") ? json(run) : json(run, "--metric-for-best-model", metric);
      String name = metric.equals("score") ? "accuracy" : metric.replace("eval_", "");
      String key = "eval" + Character.toUpperCase(name.charAt(0)) + name.substring(1);
      long best = bestOf(run, key, name.equals("loss"));
      assertEquals(best, said.path("best").path("step").asLong(), said::toString);
      assertEquals(name, said.path("best").path("metric").asText());
      assertEquals(
          said.path("best").path("value").asDouble(), said.path("eval").path(name).asDouble());
      assertTrue(best < STEPS, "the last evaluation is the best: nothing is tried here");
      Path stopped = folder.resolve("stopped-" + metric);
      ok(arguments(stopped, "--stop-after", best));
      assertHasParameters(run, stopped, best);
      Cli measured = Cli.run("eval", run, "--data", heldOut, "--json", "--threads", 1);
      assertEquals(
          said.path("eval").path(name).asDouble(),
          new ObjectMapper().readTree(measured.out()).path(name).asDouble(),
          1e-5);
    }
  }

  @Test
  void stoppedAnywhereAndBySeveralStepsInACallItIsTheSame() throws Exception {
    Path straight = folder.resolve("straight");
    JsonNode said = json(straight, "--save-best", "loss");
    Path run = folder.resolve("stopped");
    ok(arguments(run, "--save-best", "loss", "--stop-after", 4, "--steps-per-call", 6));
    for (int step : List.of(9, 10, 14, 21, 23)) {
      ok(List.of("train", "--resume", run, "--stop-after", step));
    }
    Cli last = ok(List.of("train", "--resume", run, "--json"));
    assertArrayEquals(Runs.learned(straight), Runs.learned(run));
    JsonNode now = new ObjectMapper().readTree(last.out());
    assertEquals(said.path("best"), now.path("best"));
    assertEquals(said.path("eval"), now.path("eval"));
    assertTrue(last.err().contains("is the best of 8 evaluations, loss "), last.err());
    assertFalse(Files.exists(run.resolve("checkpoints")));
  }

  @Test
  void killedItIsTheSame() throws Exception {
    Path straight = folder.resolve("straight");
    ok(arguments(straight, "--steps", 120));
    Path run = folder.resolve("stopped");
    Process process =
        Trainings.start(
            folder,
            arguments(run, "--steps", 120).stream().map(Object::toString).toArray(String[]::new));
    for (int step : List.of(20, 60, 90)) {
      assertTrue(Trainings.waitForStep(process, run, step), trainings::log);
      process.destroyForcibly().waitFor();
      process = Trainings.start(folder, "train", "--resume", run.toString());
    }
    assertTrue(process.waitFor(120, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), trainings::log);
    assertArrayEquals(Runs.learned(straight), Runs.learned(run));
    assertEquals(Trainings.figures(straight), Trainings.figures(run));
  }

  @Test
  void byTheTrainingApi() throws Exception {
    Path run = folder.resolve("run");
    Path stopped = folder.resolve("stopped");
    process(arguments(run, "--save-best", "loss", "--engine", "training-api"));
    long best = bestOf(run, "evalLoss", true);
    assertTrue(best < STEPS);
    process(
        arguments(
            stopped, "--save-best", "loss", "--engine", "training-api", "--stop-after", best));
    assertHasParameters(run, stopped, best);
    process(List.of("train", "--resume", stopped));
    assertArrayEquals(Runs.learned(run), Runs.learned(stopped));
  }

  private void process(List<Object> arguments) throws Exception {
    String[] words = arguments.stream().map(Object::toString).toArray(String[]::new);
    assertEquals(0, Trainings.start(folder, words).waitFor(), trainings::log);
  }

  @Test
  void withoutItTheLastIsWritten() throws Exception {
    Path last = folder.resolve("last");
    JsonNode said = json(last, "--no-save-best");
    assertTrue(said.path("best").isMissingNode(), said::toString);
    Path once = folder.resolve("once");
    ok(arguments(once, "--eval-every", 0));
    assertArrayEquals(Runs.learned(last), Runs.learned(once));
    Path none = folder.resolve("none");
    ok(arguments(none, "--save-best", "none"));
    assertArrayEquals(Runs.learned(last), Runs.learned(none));
    assertTrue(Files.readString(none.resolve("config.yaml")).contains("saveBest: \"none\""));
  }

  @Test
  void patienceEndsTheRunAndItIsOver() throws Exception {
    Path run = folder.resolve("run");
    Object[] options = {"--save-best", "loss", "--patience", 2, "--steps", 120};
    List<Object> all = arguments(run, options);
    all.add("--json");
    Cli cli = ok(all);
    JsonNode said = new ObjectMapper().readTree(cli.out());
    long best = said.path("best").path("step").asLong();
    assertEquals(best + 6, said.path("steps").asLong(), cli.err());
    assertTrue(
        cli.err().contains("2 evaluations in a row were not better than that of step " + best),
        cli.err());
    assertTrue(RunFolder.isFinished(run));
    assertEquals(best, bestOf(run, "evalLoss", true));
    // The count is kept where it is stopped, on either side of the last but one evaluation.
    Path stopped = folder.resolve("stopped");
    List<Object> first = arguments(stopped, options);
    first.addAll(List.of("--stop-after", best + 1));
    ok(first);
    ok(List.of("train", "--resume", stopped, "--stop-after", best + 4));
    ok(List.of("train", "--resume", stopped));
    assertArrayEquals(Runs.learned(run), Runs.learned(stopped));
  }

  @Test
  void patienceThatCannotRunOutIsSaid() {
    String words = "cannot end the run early: there are 3 before its last step";
    Cli none = ok(arguments(folder.resolve("none"), "--patience", 3, "--steps", 12));
    assertTrue(none.err().contains("patience for 3 evaluations " + words), none.err());
    Cli some = ok(arguments(folder.resolve("some"), "--patience", 2, "--steps", 12));
    assertTrue(!some.err().contains("cannot end the run early"), some.err());
  }

  @Test
  void eachEpochIsEvaluated() throws Exception {
    Path run = folder.resolve("run");
    ok(arguments(run, "--eval-every", "epoch"));
    Path steps = folder.resolve("steps");
    ok(arguments(steps, "--eval-every", 4));
    assertEquals(Trainings.figures(steps), Trainings.figures(run));
    assertArrayEquals(Runs.learned(steps), Runs.learned(run));
    assertTrue(Files.readString(run.resolve("config.yaml")).contains("evalEvery: \"epoch\""));
  }

  @Test
  void whatCannotBe() {
    Path run = folder.resolve("run");
    refused(
        "has no figure 'f2' to tell the best evaluation by: it has loss, accuracy",
        run,
        "--save-best",
        "f2");
    refused("--patience must be 1 or more", run, "--patience", 0);
    refused("leave one of the two out", run, "--save-best", "loss", "--no-save-best");
    refused("neither a number of steps nor 'epoch'", run, "--eval-every", "epochs");
    Cli none =
        Cli.run("train", trainings.model(), "--data", trainings.data(), "--patience", 2, "-o", run);
    assertEquals(1, none.exitCode());
    assertTrue(none.err().contains("patience counts evaluations on the way"), none.err());
    Cli noData =
        Cli.run(
            "train",
            trainings.model(),
            "--data",
            trainings.data(),
            "--save-best",
            "loss",
            "-o",
            run);
    assertEquals(1, noData.exitCode());
    assertTrue(noData.err().contains("shows on held-out examples"), noData.err());
  }

  private void refused(String words, Path run, Object... more) {
    Cli cli = Cli.run(arguments(run, more).toArray());
    assertTrue(cli.exitCode() > 0, cli.err());
    assertTrue(cli.err().contains(words), cli.err());
    assertFalse(Files.exists(run));
  }
}
