package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.loragraph.cli.ShellWord;
import io.github.loragraph.trainer.RunFolder;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Trainings in a terminal, through the launcher, with the progress bar on: what Ctrl-C typed there
 * does. The terminal is a pseudo-terminal that util-linux's {@code script} makes, which every Linux
 * distribution has; where it is missing, the tests are skipped and say so.
 */
class TerminalTest {
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());
  private static final long PATIENCE_SECONDS = 120;
  private static final byte CTRL_C = 3;

  @TempDir Path folder;
  private Trainings trainings;
  private Path launcher;

  @BeforeEach
  void prepare() throws IOException {
    assumeTrue(hasScript(), "no 'script' of util-linux here: Ctrl-C in a terminal is not tested");
    trainings = new Trainings(folder);
    launcher = launcher(Files.createDirectories(folder.resolve("tool")));
  }

  private static boolean hasScript() throws IOException {
    try {
      Process process = new ProcessBuilder("script", "--version").redirectErrorStream(true).start();
      return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
          .contains("util-linux");
    } catch (IOException e) {
      return false;
    }
  }

  /** The launcher as it is, with this build's classes where it looks for the built tool. */
  private static Path launcher(Path root) throws IOException {
    Path app = Files.createDirectories(root.resolve("cli/target/app"));
    Files.createDirectories(root.resolve("cli/src/main"));
    Files.createFile(root.resolve("pom.xml"));
    Files.createFile(root.resolve("cli/pom.xml"));
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest
        .getMainAttributes()
        .put(
            Attributes.Name.CLASS_PATH,
            Arrays.stream(System.getProperty("java.class.path").split(":"))
                .map(entry -> Path.of(entry).toUri().toString())
                .collect(Collectors.joining(" ")));
    try (OutputStream out = Files.newOutputStream(app.resolve("classes.jar"))) {
      new JarOutputStream(out, manifest).close();
    }
    Files.createFile(app.resolve(".built"));
    Path source = Path.of("").toAbsolutePath();
    while (!Files.exists(source.resolve("lora-graph"))) {
      source = source.getParent();
    }
    return Files.copy(
        source.resolve("lora-graph"),
        root.resolve("lora-graph"),
        StandardCopyOption.COPY_ATTRIBUTES);
  }

  /** A command line in a terminal of its own, where something can be typed. */
  private final class Terminal {
    private final Process process;

    @SuppressWarnings("JdkObsolete") // the reader's thread writes it
    private final StringBuffer screen = new StringBuffer();

    private final Thread reader;

    Terminal(Path directory, Object... arguments) throws IOException {
      this(directory, 80, arguments);
    }

    Terminal(Path directory, int columns, Object... arguments) throws IOException {
      List<String> words =
          new ArrayList<>(List.of("stty", "cols", Integer.toString(columns), "&&", "exec"));
      words.add(ShellWord.of(launcher));
      Arrays.stream(arguments).map(ShellWord::of).forEach(words::add);
      process =
          new ProcessBuilder(
                  HearingSignals.of(
                      List.of("script", "-qefc", String.join(" ", words), "/dev/null")))
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .start();
      reader = new Thread(this::read, "terminal");
      reader.setDaemon(true);
      reader.start();
    }

    private void read() {
      byte[] bytes = new byte[1 << 12];
      try (InputStream in = process.getInputStream()) {
        for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
          screen.append(new String(bytes, 0, count, StandardCharsets.UTF_8));
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** Goes nowhere where the process has ended already, which its exit code then tells. */
    void type(byte key) throws IOException {
      try {
        process.getOutputStream().write(key);
        process.getOutputStream().flush();
      } catch (IOException e) {
        if (process.isAlive()) {
          throw e;
        }
      }
    }

    String screen() {
      return screen.toString();
    }

    void waitFor(String words) throws InterruptedException {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
      while (!screen().contains(words)) {
        assertTrue(System.nanoTime() < end && process.isAlive(), this::screen);
        TimeUnit.MILLISECONDS.sleep(2);
      }
    }

    int exitCode() throws InterruptedException {
      assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), this::screen);
      reader.join();
      return process.exitValue();
    }
  }

  private Object[] training(Path run, int steps, Object... more) {
    List<Object> arguments =
        new ArrayList<>(List.of("train", trainings.model(), "--data", trainings.data(), "-o", run));
    arguments.addAll(List.of("--steps", steps, "--batch-size", 8, "--threads", 1));
    arguments.addAll(List.of("--engine", "graph", "--lora-dropout", 0.1));
    arguments.addAll(List.of(more));
    if (!arguments.contains("--log-every")) {
      arguments.addAll(List.of("--log-every", 1));
    }
    return arguments.toArray();
  }

  /**
   * Of 60 columns: what is said meanwhile has a line of its own, which nothing of the bar is left
   * on, the bar is never cut, and it is there no more when the run is written.
   */
  @Test
  void theBarGivesWay() throws Exception {
    Path run = folder.resolve("run");
    Object[] evaluations = {"--eval", trainings.data(), "--eval-every", 40};
    Terminal terminal = new Terminal(folder, 60, training(run, 120, evaluations));
    assertEquals(0, terminal.exitCode(), terminal::screen);
    List<String> lines = new ArrayList<>();
    for (String line : terminal.screen().split("\r?\n")) {
      List<String> drawn = List.of(line.split("\r"));
      drawn.stream()
          .filter(one -> one.contains("/120 steps"))
          .forEach(
              one ->
                  assertTrue(
                      one.stripTrailing()
                          .matches(
                              ".*\\d+/120 steps(  \\d+:\\d\\d:\\d\\d)?(  \\d+:\\d\\d:\\d\\d left)?"
                                  + "(  loss \\d+\\.\\d{4})?(  accuracy \\d\\.\\d{4})?"
                                  + "(  lr \\S+)?(  \\S+ samples/s)?"),
                      () -> one));
      lines.add(drawn.get(drawn.size() - 1).stripTrailing());
    }
    assertTrue(
        lines.stream()
            .anyMatch(line -> line.matches("step 40  held out: loss \\S+, accuracy \\S+")),
        terminal::screen);
    assertEquals(
        1, lines.stream().filter(line -> line.contains(" steps  ")).count(), terminal::screen);
    assertEquals("written: " + run, lines.get(lines.size() - 1), terminal::screen);
  }

  /** Again and again, to the same bytes; in a folder whose name a shell would take apart. */
  @Test
  void ctrlCKeepsWhatWasTrained() throws Exception {
    int steps = 3000;
    Path straight = folder.resolve("straight");
    Cli.json(training(straight, steps));
    Path place = Files.createDirectories(folder.resolve("mein Übungs'platz"));
    Path run = place.resolve("ein Lauf");
    Random random = new Random(SEED);
    Terminal terminal = new Terminal(folder, training(run, steps));
    Path named = run;
    int stops = 0;
    for (int from = 0; stops < 3; stops++) {
      int target = from + 1 + random.nextInt(steps / 10);
      while (Trainings.lastStep(run) < target) {
        assertTrue(terminal.process.isAlive(), terminal::screen);
        TimeUnit.MILLISECONDS.sleep(2);
      }
      terminal.waitFor("/" + steps + " steps");
      terminal.type(CTRL_C);
      assertEquals(130, terminal.exitCode(), terminal::screen);
      String screen = terminal.screen();
      assertTrue(screen.contains("stopping after this batch"), screen);
      from = Trainings.lastStep(run);
      String command = "lora-graph train --resume " + ShellWord.of(named);
      assertTrue(
          screen.contains("stopped after step %,d: go on with it: %s".formatted(from, command)),
          screen);
      named = run.getFileName();
      terminal = new Terminal(place, "train", "--resume", named);
    }
    assertEquals(0, terminal.exitCode(), terminal::screen);
    assertSameRun(straight, run);
  }

  private static void assertSameRun(Path expected, Path actual) throws IOException {
    assertArrayEquals(Runs.learned(expected), Runs.learned(actual), "seed " + SEED);
    assertEquals(Trainings.figures(expected), Trainings.figures(actual), "seed " + SEED);
    assertFalse(Files.exists(actual.resolve("checkpoints")));
  }

  /** While the session is made, in steps, in evaluations, in the last write, and after it. */
  @Test
  void ctrlCAtAnyMoment() throws Exception {
    int steps = 30;
    Object[] evaluations = {"--eval", trainings.data(), "--eval-every", 2};
    Path straight = folder.resolve("straight");
    Cli.json(training(straight, steps, evaluations));
    Random random = new Random(SEED);
    for (int i = 0; i < 4; i++) {
      Path run = folder.resolve("run" + i);
      Terminal terminal = new Terminal(folder, training(run, steps, evaluations));
      terminal.waitFor("training 16 tensors");
      TimeUnit.MILLISECONDS.sleep(random.nextInt(1500));
      terminal.type(CTRL_C);
      int exitCode = terminal.exitCode();
      String screen = terminal.screen();
      assertTrue(exitCode == 0 || exitCode == 130, exitCode + ", seed " + SEED + ": " + screen);
      if (exitCode == 130 && !Files.exists(run)) {
        assertTrue(screen.contains("nothing is kept"), screen);
        continue;
      }
      if (exitCode == 130 && !RunFolder.isFinished(run)) {
        Cli.json("train", "--resume", run);
      }
      assertSameRun(straight, run);
    }
  }

  /** A call of many steps takes its time, in which who waits may type it once more. */
  @Test
  void aSecondCtrlCEndsAtOnce() throws Exception {
    Path run = folder.resolve("run");
    Object[] longCalls = {
      "--steps-per-call", 20_000, "--log-every", 20_000, "--checkpoint-every", 0
    };
    Terminal terminal = new Terminal(folder, training(run, 20_000, longCalls));
    terminal.waitFor("0/20000 steps");
    TimeUnit.SECONDS.sleep(1);
    terminal.type(CTRL_C);
    terminal.waitFor("once more to end at once");
    TimeUnit.SECONDS.sleep(1);
    assertTrue(terminal.process.isAlive(), terminal::screen);
    terminal.type(CTRL_C);
    assertEquals(130, terminal.exitCode(), terminal::screen);
    assertFalse(Files.exists(run), "a run without a checkpoint is nothing to go on with");
  }
}
