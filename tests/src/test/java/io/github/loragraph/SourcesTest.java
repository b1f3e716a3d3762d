package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.cli.LoraGraph;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What holds for the text of all production code. */
class SourcesTest {
  private static final Path PROJECT = Path.of("..").toAbsolutePath().normalize();

  /** The modules that know no command line. */
  private static final List<String> LIBRARY = List.of("graph", "runtime", "models");

  private static final int LONGEST = 350;

  /** How a class begins to say why it is one thing. */
  private static final String REASON = "Long because";

  private static final Pattern LITERAL = Pattern.compile("\"(?:\\\\.|[^\"\\\\\n])*\"");

  private static List<Path> sources(List<String> modules) {
    List<Path> sources = new ArrayList<>();
    for (String module : modules) {
      try (Stream<Path> files = Files.walk(PROJECT.resolve(module).resolve("src/main/java"))) {
        files.filter(file -> file.toString().endsWith(".java")).forEach(sources::add);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return sources;
  }

  private static List<String> modules() throws IOException {
    try (Stream<Path> folders = Files.list(PROJECT)) {
      return folders
          .filter(folder -> Files.isDirectory(folder.resolve("src/main/java")))
          .map(folder -> folder.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  private static void collect(CommandLine commandLine, Set<String> commands, Set<String> options) {
    commandLine.getCommandSpec().options().forEach(o -> options.addAll(List.of(o.names())));
    commandLine
        .getSubcommands()
        .forEach(
            (name, command) -> {
              commands.add(name);
              collect(command, commands, options);
            });
  }

  private static Pattern anyOf(String before, Set<String> names, String after) {
    return Pattern.compile(
        before
            + names.stream().map(Pattern::quote).collect(Collectors.joining("|", "(?:", ")"))
            + after);
  }

  @Test
  void noLibraryClassNamesAnOptionOrACommand() throws IOException {
    Set<String> commands = new TreeSet<>();
    Set<String> options = new TreeSet<>();
    collect(LoraGraph.commandLine(), commands, options);
    assertTrue(commands.contains("add-head") && options.contains("--force"), options.toString());
    Set<String> names =
        options.stream().filter(o -> o.startsWith("--")).collect(Collectors.toSet());
    Set<String> letters =
        options.stream().filter(o -> !o.startsWith("--")).collect(Collectors.toSet());
    Pattern command = anyOf("(?:lora-graph |commands? \\{@code )", commands, "\\b");
    // What is followed by = is an option of a program that is called.
    Pattern option = anyOf("(?<![\\w-])", names, "(?![\\w=-])");
    Pattern letter = anyOf("(?<![\\w-])", letters, "(?![\\w-])");
    List<String> found = new ArrayList<>();
    for (Path source : sources(LIBRARY)) {
      List<String> lines = Files.readAllLines(source);
      for (int i = 0; i < lines.size(); i++) {
        String line = lines.get(i);
        boolean named = command.matcher(line).find() || option.matcher(line).find();
        if (named
            || LITERAL.matcher(line).results().anyMatch(l -> letter.matcher(l.group()).find())) {
          found.add("%s:%d %s".formatted(PROJECT.relativize(source), i + 1, line.strip()));
        }
      }
    }
    assertEquals(
        "",
        String.join("\n", found),
        "the library knows no command line: say it with a Remedy, which AdviceText words");
  }

  @Test
  void whatIsLongSaysWhyItIsOneThing() throws IOException {
    List<String> found = new ArrayList<>();
    for (Path source : sources(modules())) {
      String text = Files.readString(source);
      long lines = text.lines().count();
      if (lines > LONGEST && !text.contains(REASON)) {
        found.add("%d %s".formatted(lines, PROJECT.relativize(source)));
      }
    }
    assertEquals(
        "",
        String.join("\n", found),
        "divide what has more than %d lines, or say in its javadoc '%s ...'"
            .formatted(LONGEST, REASON));
  }
}
