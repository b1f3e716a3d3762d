package io.github.loragraph.data;

import io.github.loragraph.training.CrossEntropyLoss;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One example as the model takes it.
 *
 * @param inputs the numbers for each of the model's inputs
 * @param target what the model is to answer, as the loss takes it: the class or the number to
 *     predict (a scalar), 0 or 1 for each class, or the class of each token; null where there is
 *     none
 * @param words which words its tokens answer; null where it was not read by words
 */
public record Example(
    Map<String, Values> inputs, @Nullable Values target, @Nullable WordWindow words) {
  /** What the names of inputs begin with that have a first axis for several texts. */
  public static final String SEVERAL = "texts.";

  /** An example that was not read by words. */
  public Example(Map<String, Values> inputs, @Nullable Values target) {
    this(inputs, target, null);
  }

  /** The class, or the number to predict; NaN where there is none or not just one. */
  public double label() {
    return target == null || target.rank() > 0 ? Double.NaN : target.get(0);
  }

  /**
   * What the model is to answer.
   *
   * @throws IllegalStateException if there is nothing
   */
  public Values requireTarget() {
    if (target == null) {
      throw new IllegalStateException("the example has no target");
    }
    return target;
  }

  /** The same input with a target that counts nothing, to a loss that leaves such out. */
  public Example uncounted() {
    return new Example(
        inputs, requireTarget().filledWith((int) CrossEntropyLoss.IGNORE_INDEX), words);
  }

  /**
   * The size of the longest axis to which a batch is padded: of inputs for one text the first, of
   * those for several ({@link #SEVERAL}) the last.
   */
  public int length() {
    int length = 0;
    for (Map.Entry<String, Values> input : inputs.entrySet()) {
      Values values = input.getValue();
      if (values.rank() > 0) {
        boolean several = input.getKey().startsWith(SEVERAL);
        // Vectors in the place of texts have no tokens.
        if (!several || values.areIntegers()) {
          length = Math.max(length, values.size(several ? values.rank() - 1 : 0));
        }
      }
    }
    return length;
  }
}
