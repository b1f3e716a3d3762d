package io.github.loragraph;

import io.github.loragraph.error.LoraGraphException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The head to put on an encoder: for which task, and for which classes. Immutable; the methods that
 * begin with {@code with} give another one.
 *
 * <p>The head pools the tokens, then has a dense layer with tanh and a projection, as RoBERTa's;
 * that for labels of tokens is a projection alone. Its weights are N(0, 0.02), its biases zero.
 */
public final class HeadConfig {
  /** How the tokens of a text become one vector. */
  public enum Pooling {
    /** The mean over the tokens that the attention mask counts. */
    MEAN,
    /** The first token. */
    FIRST
  }

  private final Task task;
  private final List<String> labels;
  private final @Nullable Dataset labelsFrom;
  private final Pooling pooling;
  private final long seed;

  private HeadConfig(
      Task task, List<String> labels, @Nullable Dataset labelsFrom, Pooling pooling, long seed) {
    this.task = task;
    this.labels = labels;
    this.labelsFrom = labelsFrom;
    this.pooling = pooling;
    this.seed = seed;
  }

  /** A head that gives each text one of some classes. */
  public static HeadConfig classification(String... labels) {
    return of(Task.CLASSIFICATION, List.of(labels));
  }

  /** A head that gives each text a number. */
  public static HeadConfig regression() {
    return new HeadConfig(Task.REGRESSION, List.of(), null, Pooling.MEAN, 0);
  }

  /** A head that gives each text any number of some classes. */
  public static HeadConfig multilabel(String... labels) {
    return of(Task.MULTILABEL, List.of(labels));
  }

  /**
   * A head that gives each text several numbers.
   *
   * @param names of the numbers, two or more, in the order of the answer
   */
  public static HeadConfig multioutputRegression(String... names) {
    return of(Task.MULTIOUTPUT_REGRESSION, List.of(names));
  }

  /** A head that gives each token one of some classes. */
  public static HeadConfig tokenClassification(String... labels) {
    return of(Task.TOKEN_CLASSIFICATION, List.of(labels));
  }

  /**
   * A head for a task.
   *
   * @param labels the names of the classes, or of the numbers of {@code MULTIOUTPUT_REGRESSION}, in
   *     the order of the logits; none for a regression
   * @throws LoraGraphException if a regression is given labels, or another task none, or no head
   *     can be put on for the task, {@code MASKED_LM}
   */
  public static HeadConfig of(Task task, List<String> labels) {
    requireHead(task);
    boolean fixed = task.internal().fixedLabels().isPresent();
    if (fixed && !labels.isEmpty()) {
      throw new LoraGraphException("a %s has no labels: give none".formatted(task));
    }
    if (!fixed && labels.isEmpty()) {
      throw new LoraGraphException("a head for %s needs labels: name them".formatted(task));
    }
    if (!fixed) {
      task.internal()
          .refusalOf(labels)
          .ifPresent(
              reason -> {
                throw new LoraGraphException(reason + ", or take a regression");
              });
    }
    return new HeadConfig(task, List.copyOf(labels), null, Pooling.MEAN, 0);
  }

  /**
   * A head whose classes are the labels of some data: by size where all are numbers, else sorted by
   * name. The data is read when the head is put on.
   *
   * @throws LoraGraphException for a regression, which has no classes
   */
  public static HeadConfig of(Task task, Dataset labelsFrom) {
    requireHead(task);
    if (task.internal().fixedLabels().isPresent()) {
      throw new LoraGraphException("a %s has no labels: give none".formatted(task));
    }
    Objects.requireNonNull(labelsFrom, "labelsFrom");
    return new HeadConfig(task, List.of(), labelsFrom, Pooling.MEAN, 0);
  }

  private static void requireHead(Task task) {
    task.internal()
        .refusalOfHead()
        .ifPresent(
            reason -> {
              throw new LoraGraphException(reason);
            });
  }

  /** With another pooling than {@link Pooling#MEAN}; heads for tokens do not pool. */
  public HeadConfig withPooling(Pooling other) {
    return new HeadConfig(task, labels, labelsFrom, Objects.requireNonNull(other, "other"), seed);
  }

  /** With another seed of the head's weights than 0. */
  public HeadConfig withSeed(long other) {
    return new HeadConfig(task, labels, labelsFrom, pooling, other);
  }

  /** What the head is for. */
  public Task task() {
    return task;
  }

  /** The names of the classes; none for a regression, or where they are taken from data. */
  public List<String> labels() {
    return labels;
  }

  /** The data whose labels the classes are. */
  public Optional<Dataset> labelsFrom() {
    return Optional.ofNullable(labelsFrom);
  }

  /** How the tokens of a text become one vector. */
  public Pooling pooling() {
    return pooling;
  }

  /** Seed of the head's weights. */
  public long seed() {
    return seed;
  }
}
