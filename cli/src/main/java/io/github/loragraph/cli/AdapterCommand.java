package io.github.loragraph.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code lora-graph adapter}: the commands for adapters apart from their models. */
@Command(
    name = "adapter",
    header = "Works on adapters apart from their models.",
    description = {
      "",
      "An adapter is a folder in PEFT's layout (adapter_config.json and"
          + " adapter_model.safetensors), as 'train' writes it into every run folder.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph adapter export run --format onnxruntime -o served",
      "  lora-graph adapter info adapter"
    },
    subcommands = {
      AdapterExportCommand.class,
      AdapterImportCommand.class,
      AdapterInfoCommand.class,
      AdapterDiffCommand.class,
      AdapterCombineCommand.class,
      AdapterResizeCommand.class
    },
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true)
final class AdapterCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(), "a COMMAND is missing; 'lora-graph adapter --help' lists them");
  }
}
