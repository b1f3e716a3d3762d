package io.github.loragraph.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The scripts around the check, as far as they go without making a bundle. */
@DisabledOnOs(OS.WINDOWS)
class ScriptsTest {
  private static final Path SCRIPTS = Path.of("..", "scripts");

  private record Run(int exitCode, String output) {
    static Run of(String... words) throws Exception {
      List<String> command = new ArrayList<>(List.of("bash"));
      command.addAll(List.of(words));
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Run(process.waitFor(), output);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"gpu-check", "gpu-bundle", "bench", "startup-figures", "built.sh", "archive.sh"})
  void bashReadsThem(String script) throws Exception {
    assertEquals(new Run(0, ""), Run.of("-n", SCRIPTS.resolve(script).toString()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--cuda 11", "--parts 60X", "--parts 0M", "-o", "folder"})
  void theBundleRefusesWrongUsage(String arguments) throws Exception {
    List<String> words = new ArrayList<>(List.of(SCRIPTS.resolve("gpu-bundle").toString()));
    words.addAll(List.of(arguments.split(" ")));
    Run run = Run.of(words.toArray(String[]::new));
    assertEquals(2, run.exitCode(), run.output());
    assertTrue(run.output().startsWith("gpu-bundle: "), run.output());
  }

  @ParameterizedTest
  @ValueSource(strings = {"--base", "--base no-such-commit"})
  void theBenchmarkRefusesWrongCommits(String arguments) throws Exception {
    List<String> words = new ArrayList<>(List.of(SCRIPTS.resolve("bench").toString()));
    words.addAll(List.of(arguments.split(" ")));
    Run run = Run.of(words.toArray(String[]::new));
    assertEquals(2, run.exitCode(), run.output());
    assertTrue(run.output().startsWith("bench: --base"), run.output());
  }

  @Test
  void theBundleDoesNotReplaceAFolder() throws Exception {
    Run run = Run.of(SCRIPTS.resolve("gpu-bundle").toString(), "-o", "target");
    assertEquals(1, run.exitCode());
    assertTrue(
        run.output().contains("target exists: remove it")
            || run.output().contains("on Linux x86-64 only"),
        run.output());
  }
}
