package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.task.Tasks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What the README shows a newcomer is what happens. */
final class ReadmeTest {
  private static final Path README = Path.of("..", "README.md");
  private static final Pattern CLASS = Pattern.compile("class (\\w+)");

  @TempDir Path folder;

  /** The first block of a language, and where the text goes on after it. */
  private record Block(String text, String rest) {
    static Block first(String language, String readme) {
      String heading = "```" + language + "\n";
      int start = readme.indexOf(heading);
      assertTrue(start >= 0, "the README has no block of " + language);
      int end = readme.indexOf("```", start + heading.length());
      return new Block(readme.substring(start + heading.length(), end), readme.substring(end + 3));
    }
  }

  @Test
  void theFirstJavaClassRunsAsItStandsThereAndPrintsWhatFollowsIt()
      throws IOException, InterruptedException {
    Block program = Block.first("java", Files.readString(README));
    String printed = Block.first("text", program.rest()).text();
    Matcher name = CLASS.matcher(program.text());
    assertTrue(name.find(), "the README's first Java block is a class");
    Path source = folder.resolve(name.group(1) + ".java");
    Files.writeString(source, program.text());
    assertEquals(printed, JavaProgram.run(source));
  }

  @Test
  void itsTablesNameEveryCommandAndEveryTask() throws IOException {
    String readme = Files.readString(README);
    for (CommandLine command : Set.copyOf(LoraGraph.commandLine().getSubcommands().values())) {
      assertTrue(
          readme.contains("\n| `" + command.getCommandName() + "`")
              || readme.contains("\n| `" + command.getCommandName() + " "),
          "README's table of commands lacks " + command.getCommandName());
    }
    for (io.github.loragraph.task.Task task : Tasks.ALL) {
      assertTrue(
          readme.contains("\n| `" + task.name() + "` |"),
          "README's table of tasks lacks " + task.name());
    }
  }
}
