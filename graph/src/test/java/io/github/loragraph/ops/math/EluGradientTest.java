package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class EluGradientTest {
  @Test
  void matrix() {
    FiniteDifferences.of(b -> b.op("Elu", "x"))
        .awayFromZero("x", 3, 4)
        .inSinglePrecision(x -> x > 0 ? x : Math.expm1(x))
        .check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.op("Elu", "x"))
        .awayFromZero("x")
        .inSinglePrecision(x -> x > 0 ? x : Math.expm1(x))
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Elu", "x"))
        .awayFromZero("x", 0, 2)
        .inSinglePrecision(x -> x > 0 ? x : Math.expm1(x))
        .check();
  }
}
