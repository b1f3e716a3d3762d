package io.github.loragraph.task;

import io.github.loragraph.data.Example;
import io.github.loragraph.training.CrossEntropyLoss;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a loss may be told.
 *
 * @param labelSmoothing of a cross-entropy, in [0, 1)
 * @param classWeights of a cross-entropy: one for each class, or empty
 * @param name which of the task's losses it is; null for the usual one
 */
public record LossOptions(double labelSmoothing, List<Double> classWeights, @Nullable String name) {
  /** The plain loss. */
  public static final LossOptions PLAIN = new LossOptions(0, List.of());

  /** Of the usual loss. */
  public LossOptions(double labelSmoothing, List<Double> classWeights) {
    this(labelSmoothing, classWeights, null);
  }

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
