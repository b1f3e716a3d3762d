package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class CosGradientTest {
  @Test
  void matrix() {
    FiniteDifferences.of(b -> b.op("Cos", "x"))
        .awayFromZero("x", 3, 4)
        .inSinglePrecision(Math::cos)
        .check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.op("Cos", "x"))
        .awayFromZero("x")
        .inSinglePrecision(Math::cos)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Cos", "x"))
        .awayFromZero("x", 0, 2)
        .inSinglePrecision(Math::cos)
        .check();
  }
}
