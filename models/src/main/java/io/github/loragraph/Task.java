package io.github.loragraph;

import io.github.loragraph.task.Tasks;
import java.util.List;
import java.util.Optional;

/**
 * What a model answers: decides how labels are read, the loss, and how well a model does.
 * Immutable; two are equal where they are the same task. Later versions may have further ones.
 */
public final class Task {
  /** One class for each example; {@code single_label_classification} in {@code config.json}. */
  public static final Task CLASSIFICATION = new Task(Tasks.CLASSIFICATION);

  /** One number for each example; {@code regression} in {@code config.json}. */
  public static final Task REGRESSION = new Task(Tasks.REGRESSION);

  /** Two or more numbers for each example; {@code regression} in {@code config.json}, too. */
  public static final Task MULTIOUTPUT_REGRESSION = new Task(Tasks.MULTIOUTPUT_REGRESSION);

  /** Any number of classes for each example; {@code multi_label_classification}. */
  public static final Task MULTILABEL = new Task(Tasks.MULTILABEL);

  /** One class for each token. */
  public static final Task TOKEN_CLASSIFICATION = new Task(Tasks.TOKEN_CLASSIFICATION);

  /**
   * The tokens of a text that are hidden from the model, with its language-model head: continued
   * pretraining on texts without labels. A model is taken to have it only where it is asked for.
   */
  public static final Task MASKED_LM = new Task(Tasks.MASKED_LM);

  /** A vector for each text, for search: it has no labels and needs no head. */
  public static final Task EMBEDDING = new Task(Tasks.EMBEDDING);

  /**
   * How relevant a document is to a query, read together as one pair: a cross-encoder with one
   * logit, as sentence-transformers have it.
   */
  public static final Task RERANK = new Task(Tasks.RERANK);

  private final io.github.loragraph.task.Task internal;

  private Task(io.github.loragraph.task.Task internal) {
    this.internal = internal;
  }

  static Task of(io.github.loragraph.task.Task internal) {
    return new Task(internal);
  }

  io.github.loragraph.task.Task internal() {
    return internal;
  }

  /** All of them. */
  public static List<Task> values() {
    return Tasks.named().stream().map(Task::of).toList();
  }

  /** The task of a name: {@code token-classification}; empty where there is none. */
  public static Optional<Task> named(String name) {
    return Tasks.named(name).map(Task::of);
  }

  /** The name in a run's {@code config.yaml}. */
  public String name() {
    return internal.name();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Task task && internal.equals(task.internal);
  }

  @Override
  public int hashCode() {
    return internal.hashCode();
  }

  @Override
  public String toString() {
    return name();
  }
}
