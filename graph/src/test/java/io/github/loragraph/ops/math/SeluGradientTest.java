package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class SeluGradientTest {
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

  private static void check(long... shape) {
    FiniteDifferences.of(b -> b.op("Selu", "x"))
        .awayFromZero("x", shape)
        .inSinglePrecision(
            x -> 1.0507010221481323 * (x > 0 ? x : 1.6732631921768188 * Math.expm1(x)))
        .check();
  }
}
