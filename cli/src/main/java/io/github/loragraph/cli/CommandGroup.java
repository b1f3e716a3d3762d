package io.github.loragraph.cli;

import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;

/** The headings that commands are listed under. */
enum CommandGroup {
  TUNE(
      "Fine-tune a model, in the order of the work",
      "quickstart",
      "inspect",
      "data",
      "add-head",
      "inject",
      "train",
      "eval",
      "report",
      "predict",
      "merge"),
  COMPARE("Compare many trainings", "experiment", "search"),
  EMBEDDINGS("Embeddings", "embed", "mine-negatives"),
  ADAPTERS("Adapters apart from models", "adapter", "remove"),
  ELSEWHERE("Train elsewhere", "artifacts", "sagemaker"),
  /** Also what nobody has put elsewhere. */
  MACHINE("The machine and the tool");

  private final String heading;
  private final List<String> names;

  CommandGroup(String heading, String... names) {
    this.heading = heading;
    this.names = List.of(names);
  }

  String heading() {
    return heading;
  }

  /** Commands of commands are in one group: their names mean nothing here. */
  static CommandGroup of(CommandSpec command) {
    boolean inner = command.parent() != null && command.parent().parent() != null;
    return Arrays.stream(values())
        .filter(group -> !inner && group.names.contains(command.name()))
        .findFirst()
        .orElse(MACHINE);
  }
}
