package io.github.loragraph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a model answers to one text. Immutable; two are equal where all their numbers are, to the
 * last bit.
 */
public final class Prediction {
  private final Task task;
  private final io.github.loragraph.task.Prediction answer;
  private final List<String> texts;
  private final boolean truncated;

  /**
   * @param texts of the tokens, where they have answers
   */
  Prediction(
      Task task,
      io.github.loragraph.task.Prediction answer,
      List<String> texts,
      boolean truncated) {
    this.task = task;
    this.answer = answer;
    this.texts = texts;
    this.truncated = truncated;
  }

  /**
   * What a model answers to one token.
   *
   * @param token as text, special ones by their names
   * @param label the class with the largest probability
   * @param probabilities of all classes by their names, in the order of the logits
   */
  public record TokenPrediction(String token, String label, Map<String, Double> probabilities) {
    public TokenPrediction {
      probabilities = Collections.unmodifiableMap(probabilities);
    }

    /** The probability of the label. */
    public double probability() {
      return Objects.requireNonNull(probabilities.get(label));
    }
  }

  /** Decides which of the others have a meaning: each says what it is where it has none. */
  public Task task() {
    return task;
  }

  /**
   * The class with the largest probability, of {@link Task#CLASSIFICATION}.
   *
   * @throws IllegalStateException for every other task: of {@link Task#MULTILABEL} also where the
   *     answer happens to be one class, so that a program does not fail by the text
   */
  public String label() {
    return answer.label().orElseThrow(() -> none("one label", "labels(), values() or tokens()"));
  }

  private IllegalStateException none(String what, String others) {
    return new IllegalStateException(
        "an answer of %s has not %s: ask it for %s".formatted(task, what, others));
  }

  /**
   * The one class of {@link Task#CLASSIFICATION}; of {@link Task#MULTILABEL} those with a
   * probability that reaches their threshold (a half, unless others were fitted), in the order of
   * the logits, of which there may be none; empty for other tasks.
   */
  public List<String> labels() {
    return List.copyOf(answer.labels());
  }

  /**
   * The probability of {@link #label}.
   *
   * @throws IllegalStateException as {@link #label} does
   */
  public double probability() {
    return probability(label());
  }

  /**
   * The probability of a class, of {@link Task#CLASSIFICATION} and {@link Task#MULTILABEL}.
   *
   * @throws IllegalArgumentException if there is no such class; so for every name of other tasks
   */
  public double probability(String label) {
    Double probability = answer.probabilities().get(label);
    if (probability == null) {
      throw new IllegalArgumentException(
          "no class '%s': %s".formatted(label, answer.probabilities().keySet()));
    }
    return probability;
  }

  /**
   * The probabilities of all classes by their names, in the order of the logits: they add up to 1
   * for {@link Task#CLASSIFICATION}, and each is one by itself for {@link Task#MULTILABEL}; empty
   * for other tasks.
   */
  public Map<String, Double> probabilities() {
    return Collections.unmodifiableMap(answer.probabilities());
  }

  /**
   * The number that a {@link Task#REGRESSION} answers; of {@link Task#RERANK} the score from 0 to
   * 1.
   *
   * @throws IllegalStateException for every other task, {@link Task#MULTIOUTPUT_REGRESSION} too
   */
  public double value() {
    return answer
        .value()
        .orElseThrow(() -> none("one number", "label(), labels(), values() or tokens()"));
  }

  /**
   * The numbers that a {@link Task#MULTIOUTPUT_REGRESSION} answers, by their names and in their
   * order; empty for other tasks, {@link Task#REGRESSION} too.
   */
  public Map<String, Double> values() {
    return Collections.unmodifiableMap(answer.values());
  }

  /**
   * The answers to the tokens of {@link Task#TOKEN_CLASSIFICATION} in their order, special ones
   * included; of a text whose entities are looked for, or that was given as words, the answers to
   * its words. Of {@link Task#MASKED_LM} those to the masks of the text in their order: the token
   * is the mask, the label the likeliest token under it, and the probabilities are those of the
   * likeliest tokens, the first one first; not of all, so they add up to less than 1. Empty for
   * other tasks.
   */
  public List<TokenPrediction> tokens() {
    List<TokenPrediction> tokens = new ArrayList<>();
    for (var mask : answer.masks()) {
      Map<String, Double> probabilities = new LinkedHashMap<>();
      // Two tokens may differ only in the space before them.
      mask.tokens()
          .forEach(found -> probabilities.merge(found.token(), found.probability(), Double::sum));
      tokens.add(new TokenPrediction(mask.mask(), mask.tokens().get(0).token(), probabilities));
    }
    for (int t = 0; t < answer.tokens().size(); t++) {
      var token = answer.tokens().get(t);
      tokens.add(
          new TokenPrediction(texts.get(t), token.label().orElseThrow(), token.probabilities()));
    }
    return tokens;
  }

  /**
   * The entities of a text, in its order, of {@link Task#TOKEN_CLASSIFICATION} where the classes
   * are tags as {@code O}, {@code B-PER} and {@code I-PER}; empty for others, and where the tokens
   * were given. The answers to the tokens then are answers to words.
   */
  public List<Entity> entities() {
    return answer.entities().stream()
        .map(e -> new Entity(e.text(), e.start(), e.end(), e.type(), e.score()))
        .toList();
  }

  /** Whether the text was cut at the maximum length. */
  public boolean truncated() {
    return truncated;
  }

  /** The answer as JSON has it: {@code label}, {@code probability}, ... by name. */
  public Map<String, Object> json() {
    return Collections.unmodifiableMap(answer.json(texts));
  }

  /** The columns that a file of answers has beside those of its data: {@code predicted_label}. */
  public Map<String, Object> columns() {
    return Collections.unmodifiableMap(answer.columns(texts));
  }

  /**
   * The answer for people and pipes: lines, each of several cells.
   *
   * @param ofExample its texts, which come last in the line
   */
  public List<List<String>> lines(List<String> ofExample) {
    return answer.lines(ofExample, texts);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Prediction p
        && task.equals(p.task)
        && answer.equals(p.answer)
        && texts.equals(p.texts)
        && truncated == p.truncated;
  }

  @Override
  public int hashCode() {
    return answer.hashCode();
  }

  @Override
  public String toString() {
    return answer.json(texts).toString();
  }
}
