package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code train --estimate} counts, and that it leaves nothing behind. */
class EstimateTest {
  @TempDir Path folder;
  private Trainings trainings;
  private Path run;

  @BeforeEach
  void prepare() throws Exception {
    trainings = new Trainings(folder);
    run = folder.resolve("run");
  }

  private Object[] arguments(Object... more) {
    List<Object> all = new ArrayList<>(List.of("train", trainings.model()));
    all.addAll(List.of("--data", trainings.data(), "--batch-size", 8, "--accumulate", 2));
    all.addAll(List.of("--epochs", 3, "--threads", 1, "--engine", "graph", "-o", run));
    all.addAll(List.of(more));
    return all.toArray();
  }

  /** 40 of 50 rows are trained on: 3 steps an epoch, with an evaluation after each. */
  @Test
  void countsStepsAndEvaluationsAndWritesNothing() throws Exception {
    JsonNode told = Cli.json(arguments("--eval-split", 0.2, "--eval-every", "epoch", "--estimate"));
    assertEquals(9, told.path("steps").asLong());
    assertEquals(3, told.path("evaluations").asLong());
    assertTrue(told.path("secondsPerStep").asDouble() > 0);
    double least = 9 * told.path("secondsPerStep").asDouble();
    assertTrue(told.path("seconds").asDouble() >= least, told::toString);
    if (Files.exists(Path.of("/proc/self/status"))) {
      assertTrue(told.path("peakBytes").asLong() > 1 << 20, told::toString);
    }
    assertFalse(Files.exists(run));
  }

  /** To be gone on with later: what is told is up to the stop, which has an evaluation. */
  @Test
  void countsUpToTheStop() {
    Object[] stopped = arguments("--eval-split", 0.2, "--eval-every", 2, "--stop-after", 5);
    JsonNode told = Cli.json(Cli.with(stopped, "--estimate"));
    assertEquals(5, told.path("steps").asLong());
    assertEquals(3, told.path("evaluations").asLong());
  }

  /** A run that is there is not replaced, and not complained of. */
  @Test
  void leavesARunAlone() throws Exception {
    Files.createDirectory(run);
    Path kept = Files.writeString(run.resolve("kept"), "kept");
    JsonNode told = Cli.json(arguments("--steps", 5, "--estimate"));
    assertEquals(5, told.path("steps").asLong());
    assertEquals(0, told.path("evaluations").asLong());
    assertEquals("kept", Files.readString(kept));
  }

  @Test
  void isOfARunThatBegins() {
    assertEquals(0, Cli.run(arguments("--steps", 2, "--stop-after", 1)).exitCode());
    Cli resumed = Cli.run("train", "--resume", run, "--estimate");
    assertEquals(2, resumed.exitCode(), resumed.err());
    assertEquals(0, Cli.run("train", "--resume", run).exitCode());
    Cli cli = Cli.run("train", "--continue-from", run, "--epochs", 1, "--estimate");
    assertEquals(2, cli.exitCode());
    assertTrue(cli.err().contains("--estimate"), cli.err());
  }
}
