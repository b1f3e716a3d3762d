package io.github.loragraph.data;

import java.util.Map;

/**
 * One example as the model takes it.
 *
 * @param inputs one row of each of the model's inputs
 * @param label the class, or the number to predict; NaN where there is none
 */
public record Example(Map<String, double[]> inputs, double label) {
  /** The length of the longest row, to which a batch is padded. */
  public int length() {
    return inputs.values().stream().mapToInt(row -> row.length).max().orElse(0);
  }
}
