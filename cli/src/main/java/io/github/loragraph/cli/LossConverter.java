package io.github.loragraph.cli;

import io.github.loragraph.task.Tasks;

/** Reads the name of a loss, which some task has. */
final class LossConverter extends NameConverter<String> {
  LossConverter() {
    super(Tasks.lossNames().toArray(String[]::new));
  }
}
