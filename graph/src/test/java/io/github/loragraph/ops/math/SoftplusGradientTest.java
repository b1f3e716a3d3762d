package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class SoftplusGradientTest {
  @Test
  void matrix() {
    FiniteDifferences.of(b -> b.op("Softplus", "x"))
        .input("x", 3, 4)
        .inSinglePrecision(x -> Math.log1p(Math.exp(x)))
        .check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.op("Softplus", "x"))
        .input("x")
        .inSinglePrecision(x -> Math.log1p(Math.exp(x)))
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Softplus", "x"))
        .input("x", 0, 2)
        .inSinglePrecision(x -> Math.log1p(Math.exp(x)))
        .check();
  }
}
