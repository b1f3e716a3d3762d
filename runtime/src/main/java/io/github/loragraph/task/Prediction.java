package io.github.loragraph.task;

import io.github.loragraph.error.LoraGraphException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a model answers to one example, in the words of its task: each kind of answer has what it
 * consists of, and says how it stands in a file, in JSON and in lines. Made by {@link
 * Task#prediction}.
 */
public interface Prediction {
  /**
   * The class with the largest probability; of several classes at once those that reach their
   * thresholds, a half unless others were fitted; none where there are no classes, or each token
   * has its own.
   */
  default List<String> labels() {
    return List.of();
  }

  /** The one class; empty where the task has none, or may have several at once. */
  default Optional<String> label() {
    return Optional.empty();
  }

  /**
   * The probabilities of all classes by their names; empty where there are none, or each token has
   * its own.
   */
  default Map<String, Double> probabilities() {
    return Map.of();
  }

  /** The probability of a class. */
  default double probability(String label) {
    return Objects.requireNonNull(probabilities().get(label));
  }

  /** The one number that a regression answers, or a reranker's score; empty for other tasks. */
  default OptionalDouble value() {
    return OptionalDouble.empty();
  }

  /** The numbers that a regression over several answers, by their names; else empty. */
  default Map<String, Double> values() {
    return Map.of();
  }

  /** The answers to the tokens, where each has its own; else none. */
  default List<Prediction> tokens() {
    return List.of();
  }

  /** The entities that are found in a text, in its order; none where no entities are looked for. */
  default List<Entity> entities() {
    return List.of();
  }

  /** The words that the answers to tokens are of, where they are answers to words; else none. */
  default List<String> words() {
    return List.of();
  }

  /**
   * What a language model finds for one mask.
   *
   * @param position of the mask among the tokens, from 0
   * @param mask as it stands in the text
   * @param tokens the likeliest, the first one first
   */
  record Mask(int position, String mask, List<Found> tokens) {
    public Mask {
      tokens = List.copyOf(tokens);
    }

    /**
     * A token that may be under a mask.
     *
     * @param id its number
     */
    public record Found(String token, int id, double probability) {}
  }

  /** What is found for each mask of the text, where tokens are hidden; else none. */
  default List<Mask> masks() {
    return List.of();
  }

  /**
   * The columns that a file of answers has beside those of its data, by name.
   *
   * @param tokens the texts of the tokens, where each has its own answer
   */
  Map<String, Object> columns(List<String> tokens);

  /**
   * The answer as JSON has it.
   *
   * @param tokens the texts of the tokens, where each has its own answer
   */
  Map<String, Object> json(List<String> tokens);

  /**
   * The answer for people and pipes: lines, each of several cells.
   *
   * @param texts of the example, which come last
   * @param tokens the texts of the tokens, where each has its own answer
   */
  List<List<String>> lines(List<String> texts, List<String> tokens);

  /**
   * Refuses logits among which is one that is no finite number.
   *
   * @param place the example's, for the message
   * @throws LoraGraphException if it is so
   */
  static void requireNumbers(float[] logits, String place) {
    for (float logit : logits) {
      if (!Float.isFinite(logit)) {
        throw new LoraGraphException(
            "%s: the model answers %s, which is no number: it is damaged, or its training went astray"
                .formatted(place, logit));
      }
    }
  }
}
