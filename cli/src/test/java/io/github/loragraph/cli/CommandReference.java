package io.github.loragraph.cli;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The page of the documentation that has every command and option. */
final class CommandReference {
  private final StringBuilder page = new StringBuilder();

  private CommandReference() {}

  static String write(List<CommandSpec> commands) {
    CommandReference reference = new CommandReference();
    reference.line(
        "# Reference of the command line",
        "",
        "Written from the commands by `CommandReferenceTest`, which also holds it to them; to write"
            + " it again:",
        "`mvn -B test -pl cli -am -Dtest=CommandReferenceTest"
            + " -Dsurefire.failIfNoSpecifiedTests=false -Dwrite.tables=true`.",
        "");
    for (CommandSpec command : commands) {
      String name = command.qualifiedName(" ");
      reference.line("- [`%s`](#%s)".formatted(name, name.replace(' ', '-')));
    }
    commands.forEach(reference::add);
    return reference.page.toString();
  }

  private void add(CommandSpec command) {
    line("", "## " + command.qualifiedName(" "), "");
    line(escaped(String.join(" ", command.usageMessage().header())), "");
    line("    " + HelpLayout.synopsis(command), "");
    text(command.usageMessage().description());
    if (!command.positionalParameters().isEmpty()) {
      line("| argument | |", "| --- | --- |");
      for (PositionalParamSpec argument : command.positionalParameters()) {
        row(code(HelpLayout.label(argument)), argument.description());
      }
      line("");
    }
    HelpLayout.grouped(command)
        .forEach(
            (group, options) -> {
              line("| %s | |".formatted(group.heading()), "| --- | --- |");
              options.forEach(option -> row(names(option), option.description()));
              line("");
            });
    line("```text");
    Arrays.stream(command.usageMessage().footer())
        .dropWhile(String::isEmpty)
        .forEach(text -> line(text));
    line("```");
  }

  private static String names(OptionSpec option) {
    String value = option.arity().max() == 0 ? "" : " " + option.paramLabel();
    return Arrays.stream(option.names())
        .map(name -> code(name + value))
        .collect(Collectors.joining(", "));
  }

  private void row(String first, String[] text) {
    line("| %s | %s |".formatted(first, escaped(String.join(" ", text)).replace("|", "\\|")));
  }

  private static String code(String text) {
    return "`" + text.replace("|", "\\|") + "`";
  }

  private void text(String[] lines) {
    Arrays.stream(lines).dropWhile(String::isEmpty).forEach(text -> line(escaped(text)));
  }

  /** What Markdown would take for itself. */
  private static String escaped(String text) {
    return text.replaceAll("([*<_\\[])", "\\\\$1");
  }

  private void line(String... lines) {
    for (String line : lines) {
      page.append(line).append('\n');
    }
  }
}
