package io.github.loragraph.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code lora-graph help train}, which some type for {@code lora-graph train --help}. */
@Command(
    name = "help",
    header = "Explains a command, as its --help does.",
    footer = {"", "Examples:", "  lora-graph help train", "  lora-graph help artifacts apply"},
    mixinStandardHelpOptions = true)
final class HelpCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "COMMAND",
      arity = "0..*",
      description = "The command; without one, all are listed.")
  private List<String> names = List.of();

  @Override
  public Integer call() {
    CommandLine explained = spec.root().commandLine();
    for (String name : names) {
      CommandLine inner = explained.getSubcommands().get(name);
      if (inner == null) {
        throw new ParameterException(
            spec.commandLine(),
            "there is no command '%s'; '%s --help' lists them"
                .formatted(name, explained.getCommandSpec().qualifiedName(" ")));
      }
      explained = inner;
    }
    explained.usage(spec.commandLine().getOut());
    return CommandLine.ExitCode.OK;
  }
}
