package io.github.loragraph.evaluation;

import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a model answers to one example, in the words of its task.
 *
 * @param several whether any number of classes may be given at once
 * @param labels the class with the largest probability; of several classes at once those of a half
 *     or more; none where there are no classes, or each token has its own
 * @param probabilities of all classes by their names; empty where there are none, or each token has
 *     its own
 * @param value the number that a regression answers; NaN for other tasks
 * @param tokens the answers to the tokens, where each has its own
 */
public record Prediction(
    boolean several,
    List<String> labels,
    Map<String, Double> probabilities,
    double value,
    List<Prediction> tokens) {

  /**
   * The answer that logits are.
   *
   * @param all logits of the example; of all its tokens one after the other where each has its own
   * @param names of the classes
   * @param length the example's number of tokens, which what pads a batch comes after; without
   *     meaning where tokens have no answers of their own
   * @param place the example's, for a message
   * @throws LoraGraphException if a logit is no finite number
   */
  public static Prediction of(
      Task task, float[] all, List<String> names, int length, String place) {
    boolean padded = task == Task.TOKEN_CLASSIFICATION && all.length > (long) length * names.size();
    float[] logits = padded ? Arrays.copyOf(all, length * names.size()) : all;
    requireNumbers(logits, place);
    return switch (task) {
      case CLASSIFICATION -> classified(logits, names);
      case REGRESSION -> new Prediction(false, List.of(), Map.of(), logits[0], List.of());
      case MULTILABEL -> labelled(logits, names);
      case TOKEN_CLASSIFICATION -> {
        List<Prediction> tokens = new ArrayList<>();
        int classes = names.size();
        for (int start = 0; start < logits.length; start += classes) {
          tokens.add(classified(Arrays.copyOfRange(logits, start, start + classes), names));
        }
        yield new Prediction(false, List.of(), Map.of(), Double.NaN, tokens);
      }
    };
  }

  /**
   * Refuses logits among which is one that is no finite number.
   *
   * @param place the example's, for the message
   * @throws LoraGraphException if it is so
   */
  public static void requireNumbers(float[] logits, String place) {
    for (float logit : logits) {
      if (!Float.isFinite(logit)) {
        throw new LoraGraphException(
            "%s: the model answers %s, which is no number: it is damaged, or its training went astray"
                .formatted(place, logit));
      }
    }
  }

  private static Prediction classified(float[] logits, List<String> names) {
    String best = names.get(Probabilities.argMax(logits));
    return new Prediction(
        false, List.of(best), byName(Probabilities.softmax(logits), names), Double.NaN, List.of());
  }

  private static Prediction labelled(float[] logits, List<String> names) {
    double[] probabilities = new double[logits.length];
    List<String> labels = new ArrayList<>();
    for (int c = 0; c < logits.length; c++) {
      probabilities[c] = Probabilities.sigmoid(logits[c]);
      if (probabilities[c] >= 0.5) {
        labels.add(names.get(c));
      }
    }
    return new Prediction(true, labels, byName(probabilities, names), Double.NaN, List.of());
  }

  private static Map<String, Double> byName(double[] probabilities, List<String> names) {
    Map<String, Double> byName = new LinkedHashMap<>();
    for (int c = 0; c < probabilities.length; c++) {
      byName.put(names.get(c), probabilities[c]);
    }
    return byName;
  }

  /** The one label. */
  public String label() {
    return labels.get(0);
  }

  /** The probability of a class. */
  public double probability(String label) {
    return probabilities.get(label);
  }
}
