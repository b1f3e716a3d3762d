package io.github.loragraph.cli;

import io.github.loragraph.evaluation.Task;
import java.util.Arrays;
import java.util.Locale;

/** The losses by the names that PyTorch users know. */
enum LossName {
  CROSS_ENTROPY(Task.CLASSIFICATION),
  TOKEN_CROSS_ENTROPY(Task.TOKEN_CLASSIFICATION),
  MSE(Task.REGRESSION),
  BCE(Task.MULTILABEL);

  private final Task task;

  LossName(Task task) {
    this.task = task;
  }

  /** The loss of a task. */
  static LossName of(Task task) {
    return Arrays.stream(values()).filter(name -> name.task == task).findFirst().orElseThrow();
  }

  Task task() {
    return task;
  }

  /** The name on the command line: {@code token-cross-entropy}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
