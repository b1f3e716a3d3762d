package io.github.loragraph.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/**
 * How {@code --help} is laid out: options under headings, the most used first. The man pages and
 * the reference have the same order.
 */
final class HelpLayout {
  private HelpLayout() {}

  /** Lays out the help of a command and all its subcommands in this way. */
  static void applyTo(CommandLine commandLine) {
    Map<String, CommandLine.IHelpSectionRenderer> sections =
        new LinkedHashMap<>(commandLine.getHelpSectionMap());
    sections.put(
        UsageMessageSpec.SECTION_KEY_SYNOPSIS, help -> synopsis(help.commandSpec()) + "%n");
    sections.put(UsageMessageSpec.SECTION_KEY_OPTION_LIST_HEADING, help -> "");
    sections.put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST_HEADING, help -> "");
    // Where there are commands, one of them is what is looked for.
    sections.put(
        UsageMessageSpec.SECTION_KEY_OPTION_LIST,
        help -> help.subcommands().isEmpty() ? optionList(help) : "");
    sections.put(
        UsageMessageSpec.SECTION_KEY_COMMAND_LIST,
        help -> help.subcommands().isEmpty() ? "" : commandList(help) + optionList(help));
    sections.replaceAll((key, renderer) -> help -> renderer.render(help).replace("%n", "\n"));
    commandLine.setHelpSectionMap(sections);
  }

  /**
   * {@code lora-graph inject [OPTIONS] --match=REGEX MODEL}: only what has to be there is named.
   */
  static String synopsis(CommandSpec command) {
    List<String> words = new ArrayList<>(List.of(command.qualifiedName(" "), "[OPTIONS]"));
    for (OptionSpec option : options(command)) {
      boolean choice = option.group() != null && option.group().multiplicity().min() == 0;
      if (option.required() && !choice) {
        words.add(ConfigFile.firstLongName(option) + "=" + option.paramLabel());
      }
    }
    for (PositionalParamSpec argument : command.positionalParameters()) {
      if (!argument.hidden()) {
        words.add(label(argument));
      }
    }
    if (!command.subcommands().isEmpty()) {
      words.add(command.parent() == null ? "COMMAND" : "[COMMAND]");
    }
    return String.join(" ", words);
  }

  /** {@code MODEL}, {@code [MODEL]} or {@code [TEXT...]}. */
  static String label(PositionalParamSpec argument) {
    String label = argument.paramLabel() + (argument.arity().max() > 1 ? "..." : "");
    boolean several = argument.index().max() > argument.index().min();
    return argument.required() ? label : "[" + argument.paramLabel() + (several ? "..." : "") + "]";
  }

  /** The options to show by their headings; a heading without options is not there. */
  static Map<OptionGroup, List<OptionSpec>> grouped(CommandSpec command) {
    Map<OptionGroup, List<OptionSpec>> groups = new LinkedHashMap<>();
    for (OptionGroup group : OptionGroup.values()) {
      List<OptionSpec> options =
          command.options().stream()
              .filter(option -> !option.hidden() && OptionGroup.of(option) == group)
              .sorted((a, b) -> Integer.compare(group.placeOf(a), group.placeOf(b)))
              .toList();
      if (!options.isEmpty()) {
        groups.put(group, options);
      }
    }
    return groups;
  }

  private static List<OptionSpec> options(CommandSpec command) {
    return grouped(command).values().stream().flatMap(List::stream).toList();
  }

  /** The subcommands to show by their headings, in the order of the source. */
  static Map<CommandGroup, List<CommandSpec>> commands(CommandSpec command) {
    Map<CommandGroup, List<CommandSpec>> groups = new LinkedHashMap<>();
    List<CommandSpec> all =
        command.subcommands().values().stream()
            .map(CommandLine::getCommandSpec)
            .distinct()
            .filter(subcommand -> !subcommand.usageMessage().hidden())
            .toList();
    for (CommandGroup group : CommandGroup.values()) {
      List<CommandSpec> members =
          all.stream().filter(subcommand -> CommandGroup.of(subcommand) == group).toList();
      if (!members.isEmpty()) {
        groups.put(group, members);
      }
    }
    return groups;
  }

  private static String optionList(Help help) {
    CommandSpec command = help.commandSpec();
    StringBuilder text = new StringBuilder();
    grouped(command)
        .forEach(
            (group, options) -> {
              // One width for all of them, so that descriptions begin in one column.
              Help.Layout layout =
                  help.createDefaultLayout(
                      options(command), command.positionalParameters(), help.colorScheme());
              layout.addOptions(options, help.parameterLabelRenderer());
              text.append('\n').append(group.heading()).append(":\n").append(layout);
            });
    return text.toString();
  }

  private static String commandList(Help help) {
    StringBuilder text = new StringBuilder();
    commands(help.commandSpec())
        .forEach(
            (group, commands) -> {
              text.append('\n')
                  .append(help.commandSpec().parent() == null ? group.heading() : "Commands")
                  .append(":\n");
              text.append(
                  help.createTextTable(
                      commands.stream()
                          .collect(
                              Collectors.toMap(
                                  CommandSpec::name,
                                  c -> String.join(" ", c.usageMessage().header()),
                                  (a, b) -> a,
                                  LinkedHashMap::new))));
            });
    return text.toString();
  }
}
