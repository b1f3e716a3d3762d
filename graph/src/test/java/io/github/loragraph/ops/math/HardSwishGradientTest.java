package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class HardSwishGradientTest {
  @Test
  void matrix() {
    FiniteDifferences.of(b -> b.op("HardSwish", "x"))
        .awayFromZero("x", 3, 4)
        .inSinglePrecision(x -> x * Math.max(0, Math.min(1, x / 6 + 0.5)))
        .check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.op("HardSwish", "x"))
        .awayFromZero("x")
        .inSinglePrecision(x -> x * Math.max(0, Math.min(1, x / 6 + 0.5)))
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("HardSwish", "x"))
        .awayFromZero("x", 0, 2)
        .inSinglePrecision(x -> x * Math.max(0, Math.min(1, x / 6 + 0.5)))
        .check();
  }
}
