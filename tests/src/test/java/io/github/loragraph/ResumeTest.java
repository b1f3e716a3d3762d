package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.CheckpointFile;
import io.github.loragraph.trainer.RunFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs that are killed (SIGKILL) at random steps and gone on with: nothing is torn, and the weights
 * are those of a run that was never stopped. The training API's library takes seconds to load, so
 * that its runs are killed less often here, and as often as the others in the profile {@code long}.
 */
class ResumeTest {
  private static final String LOG = "process.log";

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
    killed("training-api", Integer.getInteger("test.kills", 4));
  }

  private void killed(String engine, int times) throws Exception {
    Path straight = folder.resolve("straight");
    Path stopped = folder.resolve("stopped");
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    assertEquals(0, begin(engine, straight, STEPS, 7).waitFor());
    Random random = new Random(SEED);
    Process process = begin(engine, stopped, STEPS, 7);
    int kills = 0;
    while (kills < times) {
      int target = lastStep(stopped) + 1 + random.nextInt(STEPS / times - 1);
      boolean reached = waitForStep(process, stopped, target);
      assertTrue(reached, () -> "the run ended before step " + target + ", seed " + SEED);
      process.destroyForcibly().waitFor();
      kills++;
      checkFiles(stopped);
      process = start(elsewhere, "train", "--resume", stopped.toString());
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

  /** With relative paths, which a run must not keep: it may be gone on with from elsewhere. */
  private Process begin(String engine, Path run, int steps, int checkpointEvery, String... more)
      throws IOException {
    List<String> arguments = new ArrayList<>();
    Collections.addAll(
        arguments,
        "train",
        model.getFileName().toString(),
        "--data",
        data.getFileName().toString(),
        "--eval",
        data.getFileName().toString(),
        "--eval-every",
        "90",
        "--steps",
        Integer.toString(steps),
        "--batch-size",
        "8",
        "--accumulate",
        "2",
        "--lora-dropout",
        "0.1",
        "--log-every",
        "3",
        "--checkpoint-every",
        Integer.toString(checkpointEvery),
        "--threads",
        "1",
        "--engine",
        engine,
        "-o",
        run.getFileName().toString());
    Collections.addAll(arguments, more);
    return start(folder, arguments.toArray(String[]::new));
  }

  private static Process start(Path directory, String... arguments) throws IOException {
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
        .directory(directory.toFile())
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(directory.resolve(LOG).toFile())
        .start();
  }

  /** What the last process said. */
  private String log() {
    try {
      return Files.readString(folder.resolve(LOG));
    } catch (IOException e) {
      return e.toString();
    }
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
    Process process = begin("graph", run, STEPS, 7);
    assertTrue(waitForStep(process, run, 10));
    refused(1, "another process is training in", "train", "--resume", run);
    refused(1, "another process is training in", "train", model, "--data", data, "-o", run);
    refused(1, "another process", "train", model, "--data", data, "-o", run, "--force");
    process.destroyForcibly().waitFor();
    Path checkpoint = onlyCheckpoint(run);
    byte[] whole = Files.readAllBytes(checkpoint);
    Files.write(checkpoint, Arrays.copyOf(whole, whole.length / 2));
    refused(1, "(delete it: ", "train", "--resume", run);
    Files.write(checkpoint, whole);
    refused(2, "--lr", "train", "--resume", run, "--lr", "1");
    refused(1, "--resume", "train", model, "--data", data, "-o", run);
    Files.writeString(data, Files.readString(data) + "{\"input_ids\":[0,5,2],\"label\":1}\n");
    refused(1, "has changed", "train", "--resume", run);
    Cli.json("train", model, "--data", data, "--steps", 1, "-o", run, "--force");
    refused(1, "is finished", "train", "--resume", run);
  }

  private static Path onlyCheckpoint(Path run) throws IOException {
    try (Stream<Path> files = Files.list(run.resolve("checkpoints"))) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("step-"))
          .max(Comparator.naturalOrder())
          .orElseThrow();
    }
  }

  /** Asked to end, a training makes a checkpoint after its step and says how to go on. */
  @Test
  void whatASignalStops() throws Exception {
    Path run = folder.resolve("signalled");
    Process process = begin("graph", run, 100_000, 0);
    assertTrue(waitForStep(process, run, 10), this::log);
    process.destroy();
    assertEquals(130, process.waitFor(), this::log);
    assertTrue(log().contains("go on with 'lora-graph train --resume "), this::log);
    long step =
        RunFolder.lastCheckpoint(run).orElseThrow().group(Checkpoint.GROUP).orElseThrow().step();
    assertTrue(step >= 10 && log().contains("stopped after step " + step), this::log);
    refused(1, "a run that was stopped", "predict", run, "x");
  }

  /** What --force replaced comes back or goes, also where the run that replaced it was killed. */
  @Test
  void whatAKilledRunHadReplaced() throws Exception {
    Path run = folder.resolve("run");
    Cli.json("train", model, "--data", data, "--steps", 1, "-o", run);
    byte[] before = Files.readAllBytes(run.resolve("model.onnx"));
    for (int i = 0; i < 2; i++) {
      killBeforeTheFirstCheckpoint(run);
      assertFalse(replaced().isEmpty());
    }
    RunFolder.resume(run, null).close();
    assertArrayEquals(before, Files.readAllBytes(run.resolve("model.onnx")));
    assertEquals(List.of(), replaced());

    killBeforeTheFirstCheckpoint(run);
    Cli.json("train", "--resume", run);
    assertTrue(Files.exists(run.resolve("model.onnx")));
    assertEquals(List.of(), replaced());
  }

  private void killBeforeTheFirstCheckpoint(Path run) throws Exception {
    Object before = key(run);
    Process process = begin("graph", run, 150, 0, "--force");
    while (key(run) == null || key(run).equals(before)) {
      assertTrue(process.isAlive(), this::log);
      TimeUnit.MILLISECONDS.sleep(2);
    }
    process.destroyForcibly().waitFor();
    assertFalse(Files.exists(run.resolve("model.onnx")));
  }

  /** Tells whether a folder is the same one; null where there is none. */
  private static Object key(Path path) throws IOException {
    try {
      return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  private List<Path> replaced() {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(f -> f.getFileName().toString().startsWith(".run-")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void refused(int exitCode, String words, Object... arguments) {
    Cli run = Cli.run(arguments);
    assertEquals(exitCode, run.exitCode(), run.err());
    assertTrue(run.err().contains(words), run.err());
  }
}
