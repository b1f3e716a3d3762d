package io.github.loragraph.task;

import io.github.loragraph.data.Example;
import io.github.loragraph.training.CrossEntropyLoss;
import java.util.Arrays;
import java.util.List;

/**
 * What a cross-entropy may be told.
 *
 * @param labelSmoothing in [0, 1)
 * @param classWeights one for each class, or empty
 */
public record LossOptions(double labelSmoothing, List<Double> classWeights) {
  /** The plain loss. */
  public static final LossOptions PLAIN = new LossOptions(0, List.of());

  /**
   * Holds them to what a cross-entropy takes, whatever the task is.
   *
   * @throws io.github.loragraph.error.LoraGraphException if a number is not possible
   */
  public LossOptions {
    classWeights = new CrossEntropyLoss(labelSmoothing, classWeights, null).classWeights();
  }

  /**
   * Weights with which all classes count as much as each other: examples / (classes * examples of
   * the class). A class without examples has the weight 1.
   *
   * @param examples with one class each, or one for each token
   */
  public static List<Double> balancedWeights(List<Example> examples, int classes) {
    long[] counts = new long[classes];
    long all = 0;
    for (Example example : examples) {
      for (int i = 0; i < example.requireTarget().count(); i++) {
        int label = (int) example.requireTarget().get(i);
        if (label >= 0 && label < classes) {
          counts[label]++;
          all++;
        }
      }
    }
    double share = (double) all / classes;
    return Arrays.stream(counts).mapToObj(count -> count == 0 ? 1 : share / count).toList();
  }

  /** Whether nothing is asked of the loss that only a cross-entropy over classes can do. */
  public boolean isPlain() {
    return labelSmoothing == 0 && classWeights.isEmpty();
  }
}
