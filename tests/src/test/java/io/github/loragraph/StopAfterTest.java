package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.trainer.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A run that is stopped after the steps that it is asked to be stopped after is the run that never
 * was: 50 rows in batches of 8, two in a step, are 4 steps an epoch, the last of one batch.
 */
class StopAfterTest {
  @TempDir Path folder;
  private Trainings trainings;

  @BeforeEach
  void prepare() throws IOException {
    trainings = new Trainings(folder);
  }

  /** In the midst of an epoch, at its end, where an evaluation is due and where none is. */
  @Test
  void stoppedAndGoneOnWithByTheGraphEngine() throws Exception {
    stopped("graph", "--steps-per-call", "6");
  }

  /** In processes of their own, which load the other build of ONNX Runtime. */
  @Test
  void stoppedAndGoneOnWithByTheTrainingApi() throws Exception {
    Path straight = folder.resolve("straight");
    Path run = folder.resolve("stopped");
    process(arguments("training-api", straight));
    List<Object> first = arguments("training-api", run);
    first.addAll(List.of("--stop-after", 5));
    process(first);
    assertTrue(RunFolder.isUnfinished(run));
    process(List.of("train", "--resume", run));
    assertArrayEquals(Runs.learned(straight), Runs.learned(run));
  }

  private void process(List<Object> arguments) throws Exception {
    String[] words = arguments.stream().map(Object::toString).toArray(String[]::new);
    assertEquals(0, Trainings.start(folder, words).waitFor(), trainings::log);
  }

  private void stopped(String engine, String... more) throws Exception {
    Path straight = folder.resolve("straight");
    ok(arguments(engine, straight, more));
    Path run = folder.resolve("stopped");
    List<Object> first = arguments(engine, run, more);
    first.addAll(List.of("--stop-after", 5, "--json"));
    JsonNode said = new ObjectMapper().readTree(ok(first).out());
    assertEquals(5, said.path("steps").asLong());
    assertTrue(said.path("stopped").asBoolean());
    assertTrue(said.path("eval").has("accuracy"), said::toString);
    assertTrue(RunFolder.isUnfinished(run));
    for (int step : List.of(5, 6, 8)) {
      Cli cli = ok(List.of("train", "--resume", run, "--stop-after", step));
      assertTrue(cli.out().contains("stopped after step " + step + ", as asked: go on"), cli.out());
      assertEquals(1, evaluations(run, step));
    }
    Cli behind = Cli.run("train", "--resume", run, "--stop-after", 4);
    assertEquals(1, behind.exitCode());
    assertTrue(behind.err().contains("has made 8 steps already"), behind.err());
    Cli end = ok(List.of("train", "--resume", run, "--stop-after", 14));
    assertTrue(end.err().contains("the run is over after step 14"), end.err());

    assertArrayEquals(Runs.learned(straight), Runs.learned(run));
    List<String> further = Trainings.figures(run);
    assertTrue(
        further.removeIf(
            line -> line.contains("evalLoss") && line.matches("\\{\"step\":(5|8),.*")));
    assertEquals(Trainings.figures(straight), further);
    assertFalse(Files.exists(run.resolve("checkpoints")));
  }

  private List<Object> arguments(String engine, Path run, String... more) {
    List<Object> all = new ArrayList<>();
    all.addAll(List.of("train", trainings.model(), "--data", trainings.data()));
    all.addAll(List.of("--eval", trainings.data(), "--eval-every", 6, "--steps", 14));
    all.addAll(List.of("--accumulate", 2, "--lora-dropout", 0.1, "--log-every", 3));
    all.addAll(List.of("--checkpoint-every", 7, "--threads", 1, "--engine", engine, "-o", run));
    all.addAll(List.of(more));
    return all;
  }

  private static Cli ok(List<Object> arguments) {
    Cli cli = Cli.run(arguments.toArray());
    assertEquals(0, cli.exitCode(), cli.err());
    return cli;
  }

  private static long evaluations(Path run, int step) throws IOException {
    return Trainings.figures(run).stream()
        .filter(line -> line.startsWith("{\"step\":" + step + ",") && line.contains("evalLoss"))
        .count();
  }

  /** Killed between its checkpoint and the end of its evaluation it makes that and stops. */
  @Test
  void killedWhereItIsStopped() throws Exception {
    Path straight = folder.resolve("straight");
    assertEquals(0, trainings.begin("graph", straight, 60, 7).waitFor(), trainings::log);
    Path run = folder.resolve("stopped");
    Process process = trainings.begin("graph", run, 60, 0, "--stop-after", "40");
    while (!Files.exists(run.resolve("checkpoints/step-00000040"))) {
      assertTrue(process.isAlive(), trainings::log);
      TimeUnit.MILLISECONDS.sleep(1);
    }
    process.destroyForcibly().waitFor();
    ok(List.of("train", "--resume", run, "--stop-after", 40));
    assertEquals(1, evaluations(run, 40));
    ok(List.of("train", "--resume", run));
    assertEquals(1, evaluations(run, 40));
    assertArrayEquals(Runs.learned(straight), Runs.learned(run));
  }

  @Test
  void fromJava() {
    Path run = folder.resolve("run");
    TrainingArguments arguments =
        TrainingArguments.builder()
            .maxSteps(6)
            .threads(1)
            .engine(TrainingArguments.Engine.GRAPH)
            .stopAfterSteps(4)
            .outputDir(run)
            .build();
    Model model = Model.open(trainings.model());
    Dataset data = Dataset.file(trainings.data());
    TrainingCancelledException e =
        assertThrows(TrainingCancelledException.class, () -> model.train(data, arguments));
    assertTrue(e.isPlanned());
    assertEquals(4, e.step());
    assertEquals(run, e.runFolder().orElseThrow());
    TrainingArguments on =
        arguments.toBuilder().stopAfterSteps(10).resumeFromCheckpoint(true).build();
    assertEquals(6, model.train(data, on).steps());
    LoraGraphException nowhere =
        assertThrows(
            LoraGraphException.class,
            () ->
                model.train(
                    data, TrainingArguments.builder().maxSteps(6).stopAfterSteps(4).build()));
    assertTrue(nowhere.getMessage().contains("needs a run folder"), nowhere.getMessage());
  }
}
