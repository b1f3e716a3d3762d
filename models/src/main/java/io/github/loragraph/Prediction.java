package io.github.loragraph;

import java.util.ArrayList;
import java.util.Collections;
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

  /** Decides which of the others have a meaning. */
  public Task task() {
    return task;
  }

  /**
   * The one class.
   *
   * @throws IllegalStateException if the task has none
   */
  public String label() {
    if (answer.labels().isEmpty()) {
      throw new IllegalStateException("this answer of " + task + " has no label");
    }
    return answer.label();
  }

  /**
   * The class with the largest probability; of {@link Task#MULTILABEL} those of a half or more, of
   * which there may be none; none of a regression or of tokens.
   */
  public List<String> labels() {
    return List.copyOf(answer.labels());
  }

  /** The probability of {@link #label}. */
  public double probability() {
    return probability(label());
  }

  /**
   * The probability of a class.
   *
   * @throws IllegalArgumentException if there is no such class
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
   * The probabilities of all classes by their names, in the order of the logits; none of a
   * regression or of tokens.
   */
  public Map<String, Double> probabilities() {
    return Collections.unmodifiableMap(answer.probabilities());
  }

  /** The number that a regression answers; NaN for other tasks. */
  public double value() {
    return answer.value();
  }

  /**
   * The numbers that a regression of several answers, by their names and in their order; none of
   * other tasks.
   */
  public Map<String, Double> values() {
    return Collections.unmodifiableMap(answer.values());
  }

  /** The answers to the tokens, special ones included; none unless each token has its own. */
  public List<TokenPrediction> tokens() {
    List<TokenPrediction> tokens = new ArrayList<>();
    for (int t = 0; t < answer.tokens().size(); t++) {
      var token = answer.tokens().get(t);
      tokens.add(new TokenPrediction(texts.get(t), token.label(), token.probabilities()));
    }
    return tokens;
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
