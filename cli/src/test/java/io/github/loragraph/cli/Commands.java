package io.github.loragraph.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;

/** All commands that help shows, in its order. */
final class Commands {
  private Commands() {}

  static List<CommandSpec> all() {
    List<CommandSpec> all = new ArrayList<>();
    add(LoraGraph.commandLine().getCommandSpec(), all);
    return all;
  }

  private static void add(CommandSpec command, List<CommandSpec> all) {
    all.add(command);
    HelpLayout.commands(command).values().stream()
        .flatMap(List::stream)
        .forEach(subcommand -> add(subcommand, all));
  }
}
