package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.artifacts.CheckpointFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs that are killed (SIGKILL) at random steps and gone on with: nothing is torn, and the weights
 * are those of a run that was never stopped.
 */
class ResumeTest {
  private static final int STEPS = 400;
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());

  @TempDir Path folder;
  private Path model;
  private Path data;

  @BeforeEach
  void prepare() throws IOException {
    Path original = folder.resolve("model.onnx");
    Files.copy(Oracle.of("tiny-roberta").modelFile(), original);
    Cli.json("inject", original, "--match", "query|output", "--rank", 4);
    model = folder.resolve("model.lora.onnx");
    Random random = new Random(5);
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 50; i++) {
      int[] ids = random.ints(3 + random.nextInt(8), 4, 200).toArray();
      lines.append("{\"input_ids\":%s,\"label\":%d}\n".formatted(Arrays.toString(ids), ids[0] % 2));
    }
    data = Files.writeString(folder.resolve("train.jsonl"), lines);
  }

  @Test
  void killedTwentyTimes() throws Exception {
    killed("graph", 20);
  }

  @Test
  void killedInTheTrainingApi() throws Exception {
    killed("training-api", 4);
  }

  private void killed(String engine, int times) throws Exception {
    Path straight = folder.resolve("straight");
    Path stopped = folder.resolve("stopped");
    assertEquals(0, begin(engine, straight).waitFor());
    Random random = new Random(SEED);
    Process process = begin(engine, stopped);
    int kills = 0;
    while (kills < times) {
      int target = lastStep(stopped) + 1 + random.nextInt(STEPS / times - 1);
      boolean reached = waitForStep(process, stopped, target);
      assertTrue(reached, () -> "the run ended before step " + target + ", seed " + SEED);
      process.destroyForcibly().waitFor();
      kills++;
      checkFiles(stopped);
      process = start("train", "--resume", stopped.toString());
    }
    assertTrue(process.waitFor(120, TimeUnit.SECONDS), "seed " + SEED);
    assertEquals(0, process.exitValue(), "seed " + SEED);
    assertArrayEquals(
        Files.readAllBytes(straight.resolve("model.onnx")),
        Files.readAllBytes(stopped.resolve("model.onnx")),
        "seed " + SEED);
    assertEquals(figures(straight), figures(stopped), "seed " + SEED);
    assertFalse(Files.exists(stopped.resolve("checkpoints")));
  }

  private Process begin(String engine, Path run) throws IOException {
    return start(
        "train",
        model.toString(),
        "--data",
        data.toString(),
        "--eval",
        data.toString(),
        "--eval-every",
        "90",
        "--steps",
        Integer.toString(STEPS),
        "--batch-size",
        "8",
        "--accumulate",
        "2",
        "--lora-dropout",
        "0.1",
        "--log-every",
        "3",
        "--checkpoint-every",
        "7",
        "--threads",
        "1",
        "--engine",
        engine,
        "-o",
        run.toString());
  }

  private static Process start(String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "-cp",
                System.getProperty("java.class.path"),
                "io.github.loragraph.cli.Main"));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private static boolean waitForStep(Process process, Path run, int step) throws Exception {
    while (lastStep(run) < step) {
      if (!process.isAlive()) {
        return false;
      }
      TimeUnit.MILLISECONDS.sleep(2);
    }
    return true;
  }

  private static int lastStep(Path run) throws IOException {
    Path metrics = run.resolve("metrics.jsonl");
    if (!Files.exists(metrics)) {
      return 0;
    }
    String text = Files.readString(metrics);
    int end = text.lastIndexOf('\n');
    if (end < 0) {
      return 0;
    }
    String line = text.substring(text.lastIndexOf('\n', end - 1) + 1, end);
    return new ObjectMapper().readTree(line).get("step").asInt();
  }

  /** Every file under its final name is whole. */
  private static void checkFiles(Path run) throws IOException {
    assertTrue(Files.size(run.resolve("config.yaml")) > 0);
    assertFalse(Files.exists(run.resolve("model.onnx")));
    if (Files.exists(run.resolve("checkpoints"))) {
      try (Stream<Path> files = Files.list(run.resolve("checkpoints"))) {
        files
            .filter(file -> file.getFileName().toString().startsWith("step-"))
            .forEach(CheckpointFile::read);
      }
    }
  }

  /** The metrics without what depends on the clock. */
  private static List<String> figures(Path run) throws IOException {
    List<String> figures = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      JsonNode node = new ObjectMapper().readTree(line);
      ((ObjectNode) node).remove("samplesPerSecond");
      figures.add(node.toString());
    }
    return figures;
  }

  @Test
  void whatCannotBeGoneOnWith() throws Exception {
    Path run = folder.resolve("run");
    refused(1, "not the folder of a run", "train", "--resume", folder);
    Process process = begin("graph", run);
    assertTrue(waitForStep(process, run, 10));
    process.destroyForcibly().waitFor();
    refused(2, "--lr", "train", "--resume", run, "--lr", "1");
    refused(1, "--resume", "train", model, "--data", data, "-o", run);
    Files.writeString(data, Files.readString(data) + "{\"input_ids\":[0,5,2],\"label\":1}\n");
    refused(1, "has changed", "train", "--resume", run);
    Cli.json("train", model, "--data", data, "--steps", 1, "-o", run, "--force");
    refused(1, "is finished", "train", "--resume", run);
  }

  private static void refused(int exitCode, String words, Object... arguments) {
    Cli run = Cli.run(arguments);
    assertEquals(exitCode, run.exitCode(), run.err());
    assertTrue(run.err().contains(words), run.err());
  }
}
