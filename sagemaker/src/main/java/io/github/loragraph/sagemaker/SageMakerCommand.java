package io.github.loragraph.sagemaker;

import io.github.loragraph.cli.CommandPlugin;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code lora-graph sagemaker}: trainings on Amazon SageMaker. */
@Command(
    name = "sagemaker",
    header = "Trains on Amazon SageMaker.",
    description = "",
    footer = {
      "",
      "Examples:",
      "  lora-graph sagemaker submit experiment.yaml > jobs.txt",
      "  lora-graph sagemaker wait @jobs.txt",
      "  lora-graph sagemaker compare @jobs.txt"
    },
    subcommands = {TrainCommand.class, MetricsCommand.class},
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true)
public final class SageMakerCommand implements Runnable {
  @Spec private CommandSpec spec;

  /** Puts the command into the program. */
  public static final class Plugin implements CommandPlugin {
    @Override
    public String parent() {
      return "";
    }

    @Override
    public Object command() {
      return new SageMakerCommand();
    }
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(), "a COMMAND is missing; 'lora-graph sagemaker --help' lists them");
  }
}
