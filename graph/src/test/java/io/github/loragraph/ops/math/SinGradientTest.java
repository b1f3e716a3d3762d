package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class SinGradientTest {
  @Test
  void matrix() {
    FiniteDifferences.of(b -> b.op("Sin", "x"))
        .awayFromZero("x", 3, 4)
        .inSinglePrecision(Math::sin)
        .check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.op("Sin", "x"))
        .awayFromZero("x")
        .inSinglePrecision(Math::sin)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Sin", "x"))
        .awayFromZero("x", 0, 2)
        .inSinglePrecision(Math::sin)
        .check();
  }
}
