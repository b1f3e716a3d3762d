package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class CompletionCommandTest {
  @TempDir private Path folder;

  private static String script(String shell) {
    CommandLine commandLine = LoraGraph.commandLine();
    StringWriter out = new StringWriter();
    commandLine.setOut(new PrintWriter(out, true));
    assertEquals(0, LoraGraph.execute(commandLine, "completion", shell));
    return out.toString();
  }

  /** What bash offers for the last of the words. */
  private List<String> offered(String... words) throws IOException, InterruptedException {
    Path script = Files.writeString(folder.resolve("completion"), script("bash"));
    StringBuilder line = new StringBuilder("lora-graph");
    for (String word : words) {
      line.append(" '").append(word).append('\'');
    }
    Process bash =
        new ProcessBuilder(
                "bash",
                "-c",
                "source '%s'; COMP_WORDS=(%s); COMP_CWORD=%d; _complete_lora-graph; printf '%%s\\n' \"${COMPREPLY[@]}\""
                    .formatted(script, line, words.length))
            // The completion asks for file names too, which bash refuses outside of a prompt.
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String out = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, bash.waitFor(), out);
    return out.lines().map(String::strip).toList();
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void bashCompletesADevice() throws Exception {
    assertEquals(List.of("auto", "cpu", "cuda"), offered("train", "--device", ""));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void bashCompletesACommand() throws Exception {
    assertEquals(List.of("inject"), offered("inj"));
    assertTrue(offered("").containsAll(List.of("train", "merge", "completion")));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void bashCompletesAnOption() throws Exception {
    assertEquals(List.of("--label-column"), offered("train", "--label-c"));
    assertEquals(List.of("--nominal-checkpoint"), offered("artifacts", "--nomi"));
    assertFalse(offered("train", "--").contains("--warmup"), "hidden");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void bashCompletesAValue() throws Exception {
    assertEquals(List.of("lora", "full", "head"), offered("train", "--method", ""));
    assertEquals(List.of("training-api"), offered("train", "--engine", "tr"));
    assertEquals(List.of("bash", "zsh", "fish"), offered("completion", ""));
    assertEquals(List.of("token-classification"), offered("add-head", "--task", "t"));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void bashCompletesBelowASubcommand() throws Exception {
    assertEquals(List.of("apply"), offered("artifacts", "ap"));
    assertEquals(List.of("--list"), offered("artifacts", "apply", "--li"));
  }

  @Test
  void zshGetsTheScriptThatServesBoth() {
    assertTrue(script("zsh").contains("bashcompinit"));
  }

  @Test
  void fishGetsCommandsOptionsAndValues() {
    String fish = script("fish");
    assertTrue(
        fish.contains(" -f -a 'inject' -d 'Puts LoRA adapters beside Linear layers.'"), fish);
    assertTrue(
        fish.contains(
            "complete -c lora-graph -n '__fish_seen_subcommand_from train' -l method -x -a 'lora"
                + " full head'"),
        fish);
    assertTrue(
        fish.contains(
            "'__fish_seen_subcommand_from artifacts; and __fish_seen_subcommand_from apply' -l"
                + " list"),
        fish);
    assertFalse(fish.contains("-l warmup "), "hidden");
  }
}
