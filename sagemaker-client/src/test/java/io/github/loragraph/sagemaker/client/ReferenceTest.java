package io.github.loragraph.sagemaker.client;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.cli.ManPages;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The help of the commands that modules add to the program, as the documentation has it. */
class ReferenceTest {
  private static final Path PAGE = Path.of("..", "docs", "reference-sagemaker.md");
  private static final int WIDTH = 100;

  private static List<CommandLine> commands() {
    CommandLine sagemaker = LoraGraph.commandLine().getSubcommands().get("sagemaker");
    List<CommandLine> commands = new ArrayList<>(List.of(sagemaker));
    commands.addAll(sagemaker.getSubcommands().values());
    return commands;
  }

  private static String help(CommandLine command) {
    // Of this command alone: set at the command, the width would be that of all below it.
    command.getCommandSpec().usageMessage().autoWidth(false).width(WIDTH);
    return command.getUsageMessage(CommandLine.Help.Ansi.OFF);
  }

  @Test
  void theReferenceInTheDocumentationIsTheHelpOfTheCommands() throws IOException {
    StringBuilder page =
        new StringBuilder(
            """
            # Reference of the commands for SageMaker

            What `--help` prints, written by `ReferenceTest` of module sagemaker-client, which also holds this page to it; to write it
            again: `mvn -B test -pl sagemaker-client -am -Dtest=ReferenceTest -Dsurefire.failIfNoSpecifiedTests=false -Dwrite.tables=true`.
            What they are for is in [sagemaker.md](sagemaker.md).
            """);
    for (CommandLine command : commands()) {
      page.append("\n## %s\n\n```text\n".formatted(command.getCommandSpec().qualifiedName(" ")));
      help(command).lines().forEach(line -> page.append(line.stripTrailing()).append('\n'));
      page.append("```\n");
    }
    if (Boolean.getBoolean("write.tables")) {
      Files.writeString(PAGE, page);
    }
    assertEquals(page.toString(), Files.readString(PAGE).replace("\r\n", "\n"));
  }

  @Test
  void commandsOfTheDocumentationAreOnesThatThereAre() throws IOException {
    List<String> lines = Files.readAllLines(PAGE.resolveSibling("sagemaker.md"));
    int found = 0;
    for (String line : lines) {
      if (line.matches("\\$ .*lora-graph sagemaker .*")) {
        String[] words =
            line.substring(line.indexOf("lora-graph") + "lora-graph ".length())
                .replaceAll("\\s*[>#|].*", "")
                .split(" ");
        assertDoesNotThrow(() -> LoraGraph.commandLine().parseArgs(words), line);
        found++;
      }
    }
    assertTrue(found >= 4, found + " commands");
  }

  @Test
  void theProgramOfTheDocumentationCompilesAsItStands(@TempDir Path folder) throws IOException {
    String page = Files.readString(PAGE.resolveSibling("sagemaker.md")).replace("\r\n", "\n");
    int start =
        page.indexOf("```java\n", page.indexOf("### In a Java program")) + "```java\n".length();
    Path source = folder.resolve("Sst2.java");
    Files.writeString(source, page.substring(start, page.indexOf("```", start)));
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    int code =
        ToolProvider.getSystemJavaCompiler()
            .run(null, said, said, "-proc:none", "-d", folder.toString(), source.toString());
    assertEquals(0, code, said.toString(StandardCharsets.UTF_8));
  }

  @Test
  void eachHelpSaysWithWhichCodeTheCommandEnds(@TempDir Path folder) throws IOException {
    ManPages.main(new String[] {folder.toString()});
    for (CommandLine command : commands()) {
      String name = command.getCommandSpec().qualifiedName("-");
      assertTrue(Files.exists(folder.resolve(name + ".1")), name);
      assertTrue(
          command.getCommandName().equals("sagemaker") || help(command).contains("Exit codes: 0"),
          name);
    }
  }
}
