package io.github.loragraph.cli;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Completion for fish, which picocli has no script for. */
final class FishCompletion {
  private final StringBuilder script = new StringBuilder();
  private final String program;

  private FishCompletion(String program) {
    this.program = program;
  }

  /** The script for a command and its subcommands. */
  static String script(CommandSpec root) {
    FishCompletion fish = new FishCompletion(root.name());
    fish.script.append("# Completion of ").append(root.name()).append(" for fish.\n");
    fish.add(root, List.of());
    return fish.script.toString();
  }

  /**
   * @param path the names of the commands that have to stand on the line
   */
  private void add(CommandSpec command, List<String> path) {
    List<CommandSpec> subcommands =
        HelpLayout.commands(command).values().stream().flatMap(List::stream).toList();
    List<String> conditions = new ArrayList<>();
    path.forEach(name -> conditions.add("__fish_seen_subcommand_from " + name));
    if (!subcommands.isEmpty()) {
      conditions.add(
          "not __fish_seen_subcommand_from "
              + subcommands.stream().map(CommandSpec::name).collect(Collectors.joining(" ")));
    }
    String condition = String.join("; and ", conditions);
    for (CommandSpec subcommand : subcommands) {
      String header = String.join(" ", subcommand.usageMessage().header());
      line(condition, "-f -a " + quoted(subcommand.name()) + " -d " + quoted(header));
    }
    for (PositionalParamSpec argument : command.positionalParameters()) {
      String values = values(argument);
      if (!values.isEmpty()) {
        line(condition, "-f -a " + quoted(values));
      }
    }
    for (Map.Entry<OptionGroup, List<OptionSpec>> group : HelpLayout.grouped(command).entrySet()) {
      for (OptionSpec option : group.getValue()) {
        line(condition, words(option));
      }
    }
    for (CommandSpec subcommand : subcommands) {
      List<String> below = new ArrayList<>(path);
      below.add(subcommand.name());
      add(subcommand, below);
    }
  }

  private void line(String condition, String words) {
    script.append("complete -c ").append(program);
    if (!condition.isEmpty()) {
      script.append(" -n ").append(quoted(condition));
    }
    script.append(' ').append(words).append('\n');
  }

  private static String words(OptionSpec option) {
    String names =
        Arrays.stream(option.names())
            .map(
                name ->
                    name.startsWith("--") ? "-l " + name.substring(2) : "-s " + name.substring(1))
            .collect(Collectors.joining(" "));
    String description = String.join(" ", option.description());
    String values = values(option);
    String takes =
        option.arity().max() == 0
            ? ""
            : !values.isEmpty() ? " -x -a " + quoted(values) : isFile(option) ? " -r -F" : " -x";
    return names + takes + " -d " + quoted(firstSentence(description));
  }

  private static boolean isFile(ArgSpec argument) {
    return argument.type() == Path.class || argument.type() == File.class;
  }

  private static String values(ArgSpec argument) {
    return argument.completionCandidates() == null
        ? ""
        : StreamSupport.stream(argument.completionCandidates().spliterator(), false)
            .collect(Collectors.joining(" "));
  }

  private static String firstSentence(String text) {
    String plain = text.replaceAll("\\s*\\(default:.*", "").strip();
    return plain.endsWith(".") ? plain.substring(0, plain.length() - 1) : plain;
  }

  private static String quoted(String text) {
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
  }
}
