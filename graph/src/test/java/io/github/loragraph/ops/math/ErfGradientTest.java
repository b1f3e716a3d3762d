package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.ErrorFunction;
import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class ErfGradientTest {
  @Test
  void matrix() {
    FiniteDifferences.of(b -> b.op("Erf", "x"))
        .input("x", 3, 4)
        .inSinglePrecision(ErrorFunction::erf)
        .check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.op("Erf", "x"))
        .input("x")
        .inSinglePrecision(ErrorFunction::erf)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Erf", "x"))
        .input("x", 0, 2)
        .inSinglePrecision(ErrorFunction::erf)
        .check();
  }
}
