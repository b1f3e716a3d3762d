package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.CheckpointFile;
import io.github.loragraph.trainer.RunFolder;
import io.github.loragraph.trainer.StoppedRun;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
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
  private static final int STEPS = 400;
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());

  @TempDir Path folder;
  private Trainings trainings;
  private Path model;
  private Path data;

  @BeforeEach
  void prepare() throws IOException {
    trainings = new Trainings(folder);
    model = trainings.model();
    data = trainings.data();
  }

  @Test
  void killedTwentyTimes() throws Exception {
    killed("graph", 20);
  }

  @Test
  void killedInTheTrainingApi() throws Exception {
    killed("training-api", Integer.getInteger("test.kills", 4));
  }

  /** What is chosen for GPUs is noted, kept, and changes nothing on the CPU. */
  @Test
  void choicesOfGpuKernelsAreKept() throws Exception {
    Path plain = folder.resolve("plain");
    Path stopped = folder.resolve("stopped");
    Object[] options = {"train", model, "--data", data, "--epochs", 1, "--threads", 1, "-o"};
    assertEquals(0, Cli.run(Cli.with(options, plain)).exitCode());
    Object[] chosen = {stopped, "--no-deterministic", "--no-tf32", "--stop-after", 2};
    assertEquals(0, Cli.run(Cli.with(options, chosen)).exitCode());
    assertEquals(0, Cli.run("train", "--resume", stopped).exitCode());
    String configuration = Files.readString(stopped.resolve("config.yaml"));
    assertTrue(configuration.contains("deterministic: false"), configuration);
    assertTrue(configuration.contains("tf32: false"), configuration);
    assertFalse(Files.readString(plain.resolve("config.yaml")).contains("deterministic"));
    assertArrayEquals(Runs.learned(plain), Runs.learned(stopped));
    Path again = folder.resolve("again");
    Path config = stopped.resolve("config.yaml");
    assertEquals(0, Cli.run("train", "--config", config, "-o", again).exitCode());
    assertTrue(Files.readString(again.resolve("config.yaml")).contains("deterministic: false"));
  }

  private void killed(String engine, int times) throws Exception {
    Path straight = folder.resolve("straight");
    Path stopped = folder.resolve("stopped");
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    assertEquals(0, trainings.begin(engine, straight, STEPS, 7).waitFor());
    Random random = new Random(SEED);
    Process process = trainings.begin(engine, stopped, STEPS, 7);
    int kills = 0;
    while (kills < times) {
      int target = Trainings.lastStep(stopped) + 1 + random.nextInt(STEPS / times - 1);
      boolean reached = Trainings.waitForStep(process, stopped, target);
      assertTrue(reached, () -> "the run ended before step " + target + ", seed " + SEED);
      process.destroyForcibly().waitFor();
      kills++;
      checkFiles(stopped);
      process = Trainings.start(elsewhere, "train", "--resume", stopped.toString());
    }
    assertTrue(process.waitFor(120, TimeUnit.SECONDS), "seed " + SEED);
    assertEquals(0, process.exitValue(), "seed " + SEED);
    assertArrayEquals(Runs.learned(straight), Runs.learned(stopped), "seed " + SEED);
    assertEquals(Trainings.figures(straight), Trainings.figures(stopped), "seed " + SEED);
    assertFalse(Files.exists(stopped.resolve("checkpoints")));
  }

  /** Every file under its final name is whole. */
  private static void checkFiles(Path run) throws IOException {
    assertTrue(Files.size(run.resolve("config.yaml")) > 0);
    assertTrue(RunFolder.isUnfinished(run));
    if (Files.exists(run.resolve("checkpoints"))) {
      try (Stream<Path> files = Files.list(run.resolve("checkpoints"))) {
        files
            .filter(file -> file.getFileName().toString().startsWith("step-"))
            .forEach(CheckpointFile::readChecked);
      }
    }
  }

  @Test
  void whatCannotBeGoneOnWith() throws Exception {
    Path run = folder.resolve("run");
    refused(1, "not the folder of a run", "train", "--resume", folder);
    Process process = trainings.begin("graph", run, STEPS, 7);
    assertTrue(Trainings.waitForStep(process, run, 10));
    refused(3, "another process is training in", "train", "--resume", run);
    refused(3, "another process is training in", "train", model, "--data", data, "-o", run);
    refused(3, "another process", "train", model, "--data", data, "-o", run, "--force");
    process.destroyForcibly().waitFor();
    Path checkpoint = lastCheckpoint(run);
    try (Stream<Path> files = Files.list(run.resolve("checkpoints"))) {
      for (Path other : files.filter(f -> !f.equals(checkpoint)).toList()) {
        Files.delete(other);
      }
    }
    byte[] whole = Files.readAllBytes(checkpoint);
    Files.write(checkpoint, Arrays.copyOf(whole, whole.length / 2));
    refused(1, checkpoint + " is damaged: ", "train", "--resume", run);
    refused(1, " has no checkpoint that is whole: delete it", "train", "--resume", run);
    Files.write(checkpoint, whole);
    refused(2, "--lr", "train", "--resume", run, "--lr", "1");
    refused(3, "--resume", "train", model, "--data", data, "-o", run);
    Files.writeString(data, Files.readString(data) + "{\"input_ids\":[0,5,2],\"label\":1}\n");
    refused(1, "has changed", "train", "--resume", run);
    Cli.json("train", model, "--data", data, "--steps", 1, "-o", run, "--force");
    refused(1, "is finished", "train", "--resume", run);
  }

  private static Path lastCheckpoint(Path run) throws IOException {
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
    Process process = trainings.begin("graph", run, 100_000, 0);
    assertTrue(Trainings.waitForStep(process, run, 10), trainings::log);
    process.destroy();
    assertEquals(143, process.waitFor(), trainings::log);
    assertTrue(
        trainings.log().contains("go on with it: lora-graph train --resume "), trainings::log);
    long step = stepOf(lastCheckpoint(run));
    assertTrue(
        step >= 10 && trainings.log().contains("stopped after step " + step), trainings::log);
    refused(1, "a run that was stopped", "predict", run, "x");
  }

  /** What --force replaced comes back or goes, also where the run that replaced it was killed. */
  @Test
  void whatAKilledRunHadReplaced() throws Exception {
    Path run = folder.resolve("run");
    Cli.json("train", model, "--data", data, "--steps", 1, "-o", run);
    byte[] before = Runs.learned(run);
    for (int i = 0; i < 2; i++) {
      killBeforeTheFirstCheckpoint(run);
      assertFalse(replaced().isEmpty());
    }
    resumed(run).close();
    assertArrayEquals(before, Runs.learned(run));
    assertEquals(List.of(), replaced());

    killBeforeTheFirstCheckpoint(run);
    Cli.json("train", "--resume", run);
    assertTrue(RunFolder.isFinished(run));
    assertEquals(List.of(), replaced());
  }

  private void killBeforeTheFirstCheckpoint(Path run) throws Exception {
    Object before = key(run);
    Process process = trainings.begin("graph", run, 150, 0, "--force");
    while (key(run) == null || key(run).equals(before)) {
      assertTrue(process.isAlive(), trainings::log);
      TimeUnit.MILLISECONDS.sleep(2);
    }
    process.destroyForcibly().waitFor();
    assertTrue(RunFolder.isUnfinished(run));
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

  private static RunFolder resumed(Path run) {
    try (StoppedRun stopped = StoppedRun.open(run, line -> {})) {
      return stopped.goOn();
    }
  }

  private static long stepOf(Path checkpoint) {
    return CheckpointFile.readChecked(checkpoint).group(Checkpoint.GROUP).orElseThrow().step();
  }

  private static void refused(int exitCode, String words, Object... arguments) {
    Cli run = Cli.run(arguments);
    assertEquals(exitCode, run.exitCode(), run.err());
    assertTrue(run.err().contains(words), run.err());
  }
}
