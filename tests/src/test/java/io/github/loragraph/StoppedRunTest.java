package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.CheckpointFile;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.trainer.StoppedRun;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a stopped run can be gone on with from: signals, damaged checkpoints, a failed last write, a
 * configuration that is not whole.
 */
class StoppedRunTest {
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());
  private static final int STEPS = 60;

  @TempDir Path folder;
  private Trainings trainings;

  @BeforeEach
  void prepare() throws IOException {
    trainings = new Trainings(folder);
  }

  /** A run of many steps that was killed when it had two checkpoints. */
  private Path killed(String engine, int steps) throws Exception {
    Path run = folder.resolve("stopped");
    Process process = trainings.begin(engine, run, steps, 7);
    assertTrue(Trainings.waitForStep(process, run, 18), trainings::log);
    process.destroyForcibly().waitFor();
    List<Path> kept = checkpoints(run);
    if (kept.size() == 3) {
      // Killed when the third was written and the first not yet taken away.
      Files.delete(kept.get(0));
      kept = checkpoints(run);
    }
    assertEquals(2, kept.size(), "the last two are kept");
    return run;
  }

  private static List<Path> checkpoints(Path run) throws IOException {
    try (Stream<Path> files = Files.list(run.resolve("checkpoints"))) {
      return files.filter(f -> f.getFileName().toString().startsWith("step-")).sorted().toList();
    }
  }

  private static void flip(Path file, long bit) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[(int) (bit / 8)] ^= (byte) (1 << bit % 8);
    Files.write(file, bytes);
  }

  private static String resumed(Path run) {
    Cli cli = Cli.run("train", "--resume", run);
    assertEquals(0, cli.exitCode(), cli.err());
    return cli.err();
  }

  private static void refused(String words, Path run) {
    Cli cli = Cli.run("train", "--resume", run);
    assertEquals(1, cli.exitCode(), cli.err());
    List<String> lines = cli.err().strip().lines().toList();
    assertTrue(lines.get(lines.size() - 1).contains(words), cli.err());
    assertEquals(1, lines.stream().filter(l -> l.startsWith("lora-graph: ")).count(), cli.err());
  }

  private static void assertSameRun(Path expected, Path actual) throws IOException {
    assertArrayEquals(Runs.learned(expected), Runs.learned(actual));
    assertEquals(Trainings.figures(expected), Trainings.figures(actual));
    assertFalse(Files.exists(actual.resolve("checkpoints")));
  }

  @Test
  void aDamagedCheckpointCostsTheStepsSinceTheOneBefore() throws Exception {
    Path straight = folder.resolve("straight");
    assertEquals(0, trainings.begin("graph", straight, STEPS, 7).waitFor(), trainings::log);
    Path run = killed("graph", STEPS);
    Path last = checkpoints(run).get(1);
    long before = Long.parseLong(checkpoints(run).get(0).getFileName().toString().substring(5));
    byte[] whole = Files.readAllBytes(last);
    Random random = new Random(SEED);
    for (int i = 0; i < 200; i++) {
      flip(last, random.nextLong(8L * whole.length));
      List<String> notes = new ArrayList<>();
      try (StoppedRun stopped = StoppedRun.open(run, notes::add)) {
        assertEquals(before, step(stopped.start().orElseThrow()), "seed " + SEED);
      }
      String expected =
          last
              + " is damaged: its content does not have the checksum at its end: going on from the"
              + " checkpoint of step "
              + before
              + " instead";
      assertEquals(List.of(expected), notes, "seed " + SEED);
      Files.write(last, whole);
    }
    flip(last, random.nextLong(8L * whole.length));
    String said = resumed(run);
    assertTrue(said.contains(last + " is damaged: "), said);
    assertTrue(said.contains("going on after step %,d".formatted(before)), said);
    assertSameRun(straight, run);
  }

  private static long step(Checkpoint checkpoint) {
    return checkpoint.group(Checkpoint.GROUP).orElseThrow().step();
  }

  @Test
  void checkpointsThatAreNone() throws Exception {
    Path run = killed("graph", STEPS);
    Path first = checkpoints(run).get(0);
    Path last = checkpoints(run).get(1);
    byte[] whole = Files.readAllBytes(last);

    Path renamed = Files.move(last, last.resolveSibling("step-00000055"));
    assertTrue(notes(run).contains(renamed + " is the checkpoint of step "), notes(run));
    Files.move(renamed, last);
    Path many = Files.copy(last, last.resolveSibling("step-12345678901234567890123"));
    assertTrue(notes(run).contains(many + " is the checkpoint of step "), notes(run));
    Files.delete(many);

    Checkpoint good = CheckpointFile.readChecked(last);
    Checkpoint.OptimizerGroup group = good.group(Checkpoint.GROUP).orElseThrow();
    List<Tensor> parameters = new ArrayList<>(good.trainable());
    float[] values = parameters.get(0).toFloats();
    values[values.length / 2] = Float.NaN;
    parameters.set(0, Tensor.ofFloats(parameters.get(0).name(), values, parameters.get(0).dims()));
    CheckpointFile.write(
        new Checkpoint(parameters, List.of(), false, List.of(group), good.properties()),
        last,
        true);
    assertTrue(notes(run).contains("holds values that are no numbers ('"), notes(run));

    // As ONNX Runtime would write one: nobody can tell whether it is whole.
    Files.write(last, Arrays.copyOf(whole, whole.length - 28));
    assertTrue(notes(run).contains("the checksum at its end is missing"), notes(run));
    flip(first, 100);
    refused(run.resolve("checkpoints") + " has no checkpoint that is whole: delete it", run);
    Files.delete(first);
    Files.delete(last);
    String said = resumed(run);
    assertTrue(said.contains("has no checkpoint yet: the run begins anew"), said);
  }

  private static String notes(Path run) {
    List<String> notes = new ArrayList<>();
    StoppedRun.open(run, notes::add).close();
    return String.join("\n", notes);
  }

  /** Another process has it, from reading the checkpoint on. */
  @Test
  void twoCannotGoOnAtOnce() throws Exception {
    Path run = killed("graph", STEPS);
    try (StoppedRun stopped = StoppedRun.open(run, line -> {})) {
      LoraGraphException e =
          assertThrows(LoraGraphException.class, () -> StoppedRun.open(run, line -> {}));
      assertTrue(e.getMessage().contains("another process is training in"), e.getMessage());
      assertTrue(stopped.start().isPresent());
    }
    resumed(run);
  }

  @Test
  void aDamagedLineOfMetricsIsNamedAndLeftOut() throws Exception {
    Path run = killed("graph", STEPS);
    Path metrics = run.resolve("metrics.jsonl");
    List<byte[]> lines = new ArrayList<>();
    for (String line : Files.readAllLines(metrics)) {
      lines.add((line + "\n").getBytes(StandardCharsets.UTF_8));
    }
    lines.get(1)[3] = (byte) 0xff;
    Files.write(metrics, new byte[0]);
    for (byte[] line : lines) {
      Files.write(metrics, line, StandardOpenOption.APPEND);
    }
    String said = resumed(run);
    assertTrue(said.contains(metrics + ":2 is damaged: the line is left out"), said);
    assertEquals(STEPS, Trainings.lastStep(run));
  }

  @Test
  void aFailedLastWriteIsMadeUpForWithoutTraining() throws Exception {
    failedLastWrite("graph");
  }

  @Test
  void aFailedLastWriteInTheTrainingApi() throws Exception {
    failedLastWrite("training-api");
  }

  private void failedLastWrite(String engine) throws Exception {
    Path straight = folder.resolve("straight");
    assertEquals(0, trainings.begin(engine, straight, STEPS, 0).waitFor(), trainings::log);
    Path run = folder.resolve("stopped");
    Process process = trainings.begin(engine, run, STEPS, 0);
    assertTrue(Trainings.waitForStep(process, run, 3), trainings::log);
    // What cannot be replaced by a file.
    Path blocked =
        Files.createDirectories(run.resolve("adapter/adapter_model.safetensors/in the way"))
            .getParent();
    assertEquals(1, process.waitFor(), trainings::log);
    String log = trainings.log();
    assertTrue(log.contains("adapter_model.safetensors is a folder"), log);
    assertTrue(log.contains("go on with it: lora-graph train --resume stopped"), log);
    Files.delete(blocked.resolve("in the way"));
    Files.delete(blocked);
    process = Trainings.start(folder, "train", "--resume", run.toString());
    assertEquals(0, process.waitFor(), trainings::log);
    assertTrue(trainings.log().lines().noneMatch(l -> l.startsWith("step ")), trainings::log);
    assertSameRun(straight, run);
  }

  /** The others are in TerminalTest. */
  @Test
  void signalsOfContainersAndClosedTerminals() throws Exception {
    Path straight = folder.resolve("straight");
    assertEquals(0, trainings.begin("graph", straight, 400, 0).waitFor(), trainings::log);
    Path run = folder.resolve("stopped");
    Process process = trainings.begin("graph", run, 400, 0);
    List<String> signals = List.of("TERM", "HUP", "INT", "TERM");
    List<Integer> exitCodes = List.of(143, 129, 130, 143);
    for (int i = 0; i < signals.size(); i++) {
      int from = Trainings.lastStep(run);
      assertTrue(Trainings.waitForStep(process, run, from + 20), trainings::log);
      // Some senders signal the process and its group: twice, that is.
      signal(signals.get(i), process);
      signal(signals.get(i), process);
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), trainings::log);
      assertEquals(exitCodes.get(i), process.exitValue(), trainings::log);
      assertTrue(trainings.log().contains("stopped after step "), trainings::log);
      process = Trainings.start(folder, "train", "--resume", run.toString());
    }
    assertEquals(0, process.waitFor(), trainings::log);
    assertSameRun(straight, run);
  }

  private static void signal(String name, Process process) throws Exception {
    new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid()).start().waitFor();
  }

  @Test
  void aConfigurationThatIsNotWhole() throws Exception {
    Path run = killed("graph", STEPS);
    Path config = run.resolve("config.yaml");
    List<String> lines = Files.readAllLines(config);
    for (int i = 0; i < lines.size(); i++) {
      write(config, lines.subList(0, i));
      refused(config.toString(), run);
      if (lines.get(i).matches("[a-zA-Z0-9]+:.*")) {
        String key = lines.get(i).substring(0, lines.get(i).indexOf(':'));
        List<String> without = new ArrayList<>(lines);
        without.removeIf(line -> line.startsWith(key + ":"));
        if (!lines.get(i).endsWith(":")) {
          if (!key.equals("pairs")) { // The data says it too.
            write(config, without);
            refused(config + " has no " + key + ": ", run);
          }
          List<String> twice = new ArrayList<>(lines);
          twice.add(lines.get(i));
          write(config, twice);
          refused(config + ":", run);
          twice.set(twice.size() - 1, dashed(key) + ": 1");
          write(config, twice);
          refused(config.toString(), run);
          without.add(key + ": [1, 2]");
          write(config, without);
          refused(config + ": '" + key + "' is a list where one value belongs", run);
        }
      }
    }
    for (String content : List.of("null\n", "~\n", "5\n", "[1]\n", "--- \n", "# nothing\n", "\n")) {
      Files.writeString(config, content);
      refused(config.toString(), run);
    }
    changed(lines, config, "batchSize: .*", "batchSize: \"x\"");
    refused(config + ": Invalid value for option '--batch-size'", run);
    changed(lines, config, "trainBias: .*", "trainBias: \"maybe\"");
    refused(config + ": ", run);
    changed(lines, config, "  model: .*", "  model: null");
    refused(config + ": 'model' of 'checksums' is no text", run);
    changed(lines, config, "  data: .*", "  other: \"x\"");
    refused(config + " has no data: ", run);
    changed(lines, config, "  eval: \"(.).*", "  eval: \"x\"");
    refused("has changed since the run began", run);
    changed(lines, config, "data: .*", "data: \"/nowhere/train.jsonl\"");
    refused("/nowhere/train.jsonl, which the run was begun with, is not there", run);
    changed(lines, config, "  java: .*", "  java: \"16\"");
    assertTrue(resumed(run).contains("begun with java 16, going on with "));
  }

  /**
   * Before it was noted whether data are pairs, and when one option was for both kinds of warm-up.
   */
  @Test
  void aRunWhoseConfigurationIsOfAnEarlierVersionIsGoneOnWith() throws Exception {
    Path straight = folder.resolve("straight");
    assertEquals(0, trainings.begin("graph", straight, STEPS, 7, "--warmup", "0.5").waitFor());
    Path run = folder.resolve("stopped");
    Process process = trainings.begin("graph", run, STEPS, 7, "--warmup", "0.5");
    assertTrue(Trainings.waitForStep(process, run, 18), trainings::log);
    process.destroyForcibly().waitFor();
    Path config = run.resolve("config.yaml");
    changed(Files.readAllLines(config), config, "warmupRatio: .*", "warmupRatio: 0.0");
    changed(Files.readAllLines(config), config, "warmup: .*", "warmup: \"0.5\"");
    changed(Files.readAllLines(config), config, "method: .*", "method: \"LORA\"");
    List<String> lines = new ArrayList<>(Files.readAllLines(config));
    assertTrue(lines.removeIf(line -> line.startsWith("pairs:")));
    write(config, lines);
    resumed(run);
    assertSameRun(straight, run);
  }

  @Test
  void weightsBesideTheModelAreThoseThatItWasBegunWith() throws Exception {
    Path model = trainings.model();
    Path weights = folder.resolve("weights.data");
    try (StagedFiles files = new StagedFiles(folder, true)) {
      weights = OnnxFile.stageSharingData(Map.of(model, OnnxFile.read(model)), weights, files);
      files.commit();
    }
    Path run = killed("graph", 10 * STEPS);
    flip(weights, 4L * Files.size(weights));
    refused(weights + " has changed since the run began", run);
  }

  private static String dashed(String key) {
    return key.replaceAll("([a-z0-9])([A-Z])", "$1-$2").toLowerCase(Locale.ROOT);
  }

  private static void changed(List<String> lines, Path config, String from, String to)
      throws IOException {
    List<String> changed = lines.stream().map(l -> l.matches(from) ? to : l).toList();
    assertFalse(changed.equals(lines), from);
    write(config, changed);
  }

  private static void write(Path config, List<String> lines) throws IOException {
    Files.writeString(config, String.join("", lines.stream().map(l -> l + "\n").toList()));
  }
}
