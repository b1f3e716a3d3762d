package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.trainer.RunRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a run says of itself: the figures that were printed, over all parts of the run. */
class RunRecordTest {
  @TempDir Path folder;
  private Trainings trainings;

  @BeforeEach
  void prepare() throws IOException {
    trainings = new Trainings(folder);
  }

  private JsonNode train(Path run, Object... more) {
    Object[] words = {
      "train",
      trainings.model(),
      "--data",
      trainings.data(),
      "--eval",
      trainings.data(),
      "--eval-every",
      4,
      "--steps",
      12,
      "--batch-size",
      8,
      "--checkpoint-every",
      5,
      "--threads",
      1,
      "-o",
      run
    };
    Object[] all = Arrays.copyOf(words, words.length + more.length);
    System.arraycopy(more, 0, all, words.length, more.length);
    return Cli.json(all);
  }

  @Test
  void hasTheFiguresThatArePrinted() throws IOException {
    Path run = folder.resolve("run");
    JsonNode printed = train(run);
    RunRecord record = RunRecord.read(run).orElseThrow();
    assertEquals(RunRecord.Status.FINISHED, record.status().orElseThrow());
    assertEquals(12, record.step().orElseThrow());
    Set.of("loss", "accuracy", "macroF1", "weightedF1", "matthews")
        .forEach(
            name ->
                assertEquals(
                    printed.get("eval").get(name).asDouble(), record.figures().get(name), name));
    assertEquals(
        printed.get("samplesPerSecond").asDouble(), record.samplesPerSecond().orElseThrow(), 1e-3);
    ParameterCount count = Model.open(run).parameterCount();
    assertEquals(count.trainable(), record.trainableParameters().orElseThrow());
    assertEquals(count.total(), record.totalParameters().orElseThrow());
    JsonNode eval = Cli.json("eval", run, "--data", trainings.data());
    assertEquals(eval.get("confusion"), record.tree().get("confusion"));
    long tensors = 0;
    for (JsonNode tensor : record.tree().path("parameters").path("tensors")) {
      tensors += tensor.get("count").asLong();
    }
    assertEquals(count.trainable(), tensors);
    if (Files.exists(Path.of("/proc/self/status"))) {
      assertTrue(record.peakMegabytes().orElseThrow() > 10);
    }
  }

  @Test
  void addsUpTheParts() throws IOException {
    Path run = folder.resolve("run");
    assertEquals(
        0,
        Cli.run(
                "train",
                trainings.model(),
                "--data",
                trainings.data(),
                "--steps",
                14,
                "--batch-size",
                8,
                "--threads",
                1,
                "--stop-after",
                7,
                "-o",
                run)
            .exitCode());
    RunRecord stopped = RunRecord.read(run).orElseThrow();
    assertEquals(RunRecord.Status.STOPPED, stopped.status().orElseThrow());
    assertEquals(7, stopped.step().orElseThrow());
    assertEquals(Set.of(), stopped.figures().keySet());
    Cli.json("train", "--resume", run);
    RunRecord whole = RunRecord.read(run).orElseThrow();
    assertEquals(RunRecord.Status.FINISHED, whole.status().orElseThrow());
    assertEquals(2, whole.tree().get("parts").asInt());
    assertEquals(stopped.tree().get("startedAt"), whole.tree().get("startedAt"));
    assertTrue(whole.wallSeconds().orElseThrow() > stopped.wallSeconds().orElseThrow());
    // 50 rows are an epoch of 7 steps.
    assertEquals(50, stopped.tree().get("trainedExamples").asLong());
    assertEquals(100, whole.tree().get("trainedExamples").asLong());
  }
}
