package io.github.loragraph.task;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The tasks that there are. */
public final class Tasks {
  /** One class for each example. */
  public static final Task CLASSIFICATION = new ClassificationTask();

  /** One number for each example. */
  public static final Task REGRESSION = new RegressionTask();

  /** Any number of classes for each example. */
  public static final Task MULTILABEL = new MultilabelTask();

  /** One class for each token. */
  public static final Task TOKEN_CLASSIFICATION = new TokenClassificationTask();

  /** Several numbers for each example. */
  public static final Task MULTIOUTPUT_REGRESSION = new MultioutputRegressionTask();

  /** The tokens of a text that are hidden from the model. */
  public static final Task MASKED_LM = new MaskedLanguageModelTask();

  /** How relevant a document is to a query. */
  public static final Task RERANK = new RerankTask();

  /** A vector for each text. */
  public static final Task EMBEDDING = new EmbeddingTask();

  /**
   * All that have labels, in the order in which they are tried; where two fit a model, the first
   * one is meant.
   */
  public static final List<Task> ALL =
      List.of(
          CLASSIFICATION,
          TOKEN_CLASSIFICATION,
          REGRESSION,
          MULTILABEL,
          MULTIOUTPUT_REGRESSION,
          MASKED_LM,
          RERANK);

  private Tasks() {}

  /** Those with labels, and those that are only meant where they are named. */
  public static List<Task> named() {
    return Stream.concat(ALL.stream(), Stream.of(EMBEDDING)).toList();
  }

  /** The task of that name; empty where there is none. */
  public static Optional<Task> named(String name) {
    return named().stream().filter(task -> task.name().equals(name)).findFirst();
  }

  /** The tasks with a loss of that name; none where no task has it. */
  public static List<Task> withLoss(String lossName) {
    return ALL.stream().filter(task -> task.lossNames().contains(lossName)).toList();
  }

  /** The names of all losses, each once. */
  public static List<String> lossNames() {
    return ALL.stream().map(Task::lossNames).flatMap(List::stream).distinct().toList();
  }

  /**
   * The tasks that {@code problem_type} of {@code config.json} may state; none where it states
   * nothing.
   *
   * @throws LoraGraphException if the statement is none that transformers know
   */
  public static List<Task> stated(Optional<String> problemType) {
    if (problemType.isEmpty()) {
      return List.of();
    }
    List<Task> stated =
        ALL.stream().filter(task -> task.problemType().equals(problemType)).toList();
    if (stated.isEmpty()) {
      throw new LoraGraphException(
          "problem_type '%s' in config.json is not known".formatted(problemType.get()),
          Remedy.NAME_TASK);
    }
    return stated;
  }
}
