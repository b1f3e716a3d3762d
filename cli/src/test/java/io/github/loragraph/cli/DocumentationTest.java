package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** Pages of the documentation lead where they say, and their commands are ones that there are. */
class DocumentationTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");
  private static final Pattern FENCED = Pattern.compile("(?s)```.*?```");

  /** A word of a shell's command line: quoted parts and others, side by side. */
  private static final Pattern WORD = Pattern.compile("(?:'[^']*'|\"[^\"]*\"|[^\\s'\"])+");

  static List<Path> pages() throws IOException {
    try (Stream<Path> top = Files.list(ROOT);
        Stream<Path> docs = Files.walk(ROOT.resolve("docs"));
        Stream<Path> examples = Files.walk(ROOT.resolve("examples"))) {
      return Stream.of(top, docs, examples)
          .flatMap(files -> files)
          .filter(file -> file.toString().endsWith(".md"))
          .sorted()
          .toList();
    }
  }

  private static String text(Path page) throws IOException {
    return Files.readString(page).replace("\r\n", "\n");
  }

  @ParameterizedTest
  @MethodSource("pages")
  void linksLeadToFilesAndHeadingsThatThereAre(Path page) throws IOException {
    Matcher link = LINK.matcher(FENCED.matcher(text(page)).replaceAll(""));
    while (link.find()) {
      URI uri = URI.create(link.group(1));
      if (uri.getScheme() != null) {
        continue;
      }
      Path target = uri.getPath().isEmpty() ? page : page.resolveSibling(uri.getPath()).normalize();
      assertTrue(Files.exists(target), () -> ROOT.relativize(page) + " links to " + uri);
      if (uri.getFragment() != null) {
        assertTrue(
            anchors(target).contains(uri.getFragment()),
            () -> ROOT.relativize(page) + " links to " + uri + ", which is no heading there");
      }
    }
  }

  /** The headings by the names that links have for them. */
  private static List<String> anchors(Path page) throws IOException {
    List<String> anchors = new ArrayList<>();
    Matcher heading = HEADING.matcher(FENCED.matcher(text(page)).replaceAll(""));
    while (heading.find()) {
      anchors.add(
          heading.group(1).toLowerCase(Locale.ROOT).replaceAll("[^\\w\\- ]", "").replace(' ', '-'));
    }
    return anchors;
  }

  @ParameterizedTest
  @MethodSource("pages")
  void commandsAreOnesThatThereAre(Path page) throws IOException {
    for (String line : text(page).lines().toList()) {
      // What plugins add is held by their modules.
      if (line.matches("\\$ (\\./)?lora-graph (?!sagemaker ).*")) {
        List<String> words = words(line.substring(line.indexOf("lora-graph") + 10));
        CommandLine commandLine = LoraGraph.commandLine();
        try {
          commandLine.parseArgs(words.toArray(String[]::new));
        } catch (CommandLine.ParameterException e) {
          throw new AssertionError(ROOT.relativize(page) + ": " + line + ": " + e.getMessage(), e);
        }
      }
    }
  }

  /**
   * The words of a command, without what the shell keeps for itself: redirections, pipes, comments.
   */
  private static List<String> words(String line) {
    List<String> words = new ArrayList<>();
    Matcher word = WORD.matcher(line);
    while (word.find()) {
      if (word.group().matches("[<>|#].*")) {
        break;
      }
      words.add(word.group().replaceAll("['\"]", ""));
    }
    return words;
  }

  @Test
  void theIndexNamesEveryPage() throws IOException {
    String index = text(ROOT.resolve("docs").resolve("README.md"));
    List<Path> missing =
        pages().stream()
            .filter(page -> page.startsWith(ROOT.resolve("docs")) && !page.endsWith("README.md"))
            .map(page -> ROOT.resolve("docs").relativize(page))
            .filter(page -> !index.contains("(" + page.toString().replace('\\', '/') + ")"))
            .toList();
    assertEquals(List.of(), missing);
  }
}
