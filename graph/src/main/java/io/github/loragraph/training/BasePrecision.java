package io.github.loragraph.training;

import java.util.Locale;

/** In what the frozen layers of a training compute; parameters that are trained are in FLOAT. */
public enum BasePrecision {
  /** As the model has its weights. */
  FP32,

  /**
   * In 8 bits: weights for each column, what they are multiplied with for each batch ({@code
   * DynamicQuantizeMatMul}). The gradient that comes back through them is computed in FLOAT.
   */
  INT8_FORWARD,

  /** The same, and the gradient that comes back through them too. */
  INT8;

  /** The name by which it is chosen. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
