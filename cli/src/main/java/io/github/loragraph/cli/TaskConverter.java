package io.github.loragraph.cli;

import io.github.loragraph.task.Task;
import io.github.loragraph.task.Tasks;

/** Reads a task by its name on the command line. */
final class TaskConverter extends NameConverter<Task> {
  TaskConverter() {
    super(Tasks.named().toArray(Task[]::new));
  }
}
