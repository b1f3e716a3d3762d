package io.github.loragraph.cli;

import io.github.loragraph.evaluation.Task;

/** Reads a task by its name on the command line. */
final class TaskConverter extends NameConverter<Task> {
  TaskConverter() {
    super(Task.values());
  }
}
