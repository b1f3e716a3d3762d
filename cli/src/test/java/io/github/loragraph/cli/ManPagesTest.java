package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Model.CommandSpec;

class ManPagesTest {
  @TempDir private Path folder;

  @Test
  void thereIsAPageForEachCommand() throws IOException {
    ManPages.main(new String[] {folder.toString()});
    for (CommandSpec command : Commands.all()) {
      String page = Files.readString(folder.resolve(command.qualifiedName("-") + ".1"));
      assertTrue(page.startsWith(".TH \"LORA\\-GRAPH"), page);
      HelpLayout.grouped(command)
          .values()
          .forEach(
              options ->
                  options.forEach(
                      option ->
                          assertTrue(
                              page.contains(
                                  "\\fB" + option.longestName().replace("-", "\\-") + "\\fR"),
                              option.longestName())));
    }
  }

  @Test
  void groffFormatsThemWithoutAWarning() throws Exception {
    boolean groff =
        Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
            .anyMatch(part -> Files.isExecutable(Path.of(part, "groff")));
    assumeTrue(groff, "there is no groff here");
    ManPages.main(new String[] {folder.toString()});
    for (String name : ManPages.pages().keySet()) {
      Process process =
          new ProcessBuilder(
                  "groff", "-man", "-Tutf8", "-ww", "-P-cbou", folder.resolve(name).toString())
              .redirectError(folder.resolve("errors").toFile())
              .start();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, process.waitFor());
      assertEquals("", Files.readString(folder.resolve("errors")), name);
      if (name.equals("lora-graph-inject.1")) {
        String words = text.lines().map(String::strip).collect(Collectors.joining(" "));
        assertTrue(words.contains("lora-graph inject [OPTIONS] MODEL"), text);
        assertTrue(words.contains("lora-graph inject model.onnx --match 'query|output'"), text);
      }
    }
  }
}
