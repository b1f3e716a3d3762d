package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class MishGradientTest {
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
    FiniteDifferences.of(b -> b.op("Mish", "x"))
        .awayFromZero("x", shape)
        .inSinglePrecision(x -> x * Math.tanh(Math.log1p(Math.exp(x))))
        .check();
  }
}
