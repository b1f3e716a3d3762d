package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class ThresholdedReluGradientTest {
  @Test
  void matrix() {
    check(3, 4);
  }

  @Test
  void scalar() {
    check();
  }

  @Test
  void sizeZero() {
    check(0, 2);
  }

  /** The step, where there is no gradient, is at 0. */
  private static void check(long... shape) {
    FiniteDifferences.of(b -> b.op("ThresholdedRelu", n -> n.with("alpha", 0f), "x"))
        .awayFromZero("x", shape)
        .inSinglePrecision(x -> Math.max(0, x))
        .check();
  }
}
