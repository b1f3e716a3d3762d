package io.github.loragraph.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shell completion. */
@Command(
    name = "completion",
    header = "Prints the script by which a shell completes commands, options and their values.",
    description = {
      "",
      "The script is made of the commands themselves; print it again after an update.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph completion bash > ~/.local/share/bash-completion/completions/lora-graph",
      "  source <(lora-graph completion zsh)      in ~/.zshrc, after compinit",
      "  lora-graph completion fish > ~/.config/fish/completions/lora-graph.fish"
    },
    mixinStandardHelpOptions = true)
final class CompletionCommand implements Callable<Integer> {
  /** What there is a script for. */
  enum Shell {
    BASH,
    ZSH,
    FISH
  }

  static final class ShellConverter extends NameConverter<Shell> {
    ShellConverter() {
      super(Shell.values());
    }
  }

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "SHELL",
      converter = ShellConverter.class,
      completionCandidates = ShellConverter.class,
      description = "${COMPLETION-CANDIDATES}.")
  private Shell shell;

  @Override
  public Integer call() {
    CommandLine root = spec.root().commandLine();
    // The library's script serves both: in zsh it goes through bashcompinit.
    spec.commandLine()
        .getOut()
        .print(
            shell == Shell.FISH
                ? FishCompletion.script(root.getCommandSpec())
                : AutoComplete.bash(root.getCommandName(), root));
    spec.commandLine().getOut().flush();
    return CommandLine.ExitCode.OK;
  }
}
