package io.github.loragraph.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code lora-graph data}: the commands for data files by themselves. */
@Command(
    name = "data",
    header = "Looks at data files before they are trained on.",
    description = "",
    footer = {"", "Example:", "  lora-graph data check train.tsv --eval dev.tsv"},
    subcommands = {DataCheckCommand.class},
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true)
final class DataCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(), "a COMMAND is missing; 'lora-graph data --help' lists them");
  }
}
