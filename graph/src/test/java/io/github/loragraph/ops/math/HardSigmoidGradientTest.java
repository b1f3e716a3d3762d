package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class HardSigmoidGradientTest {
  @Test
  void matrix() {
    FiniteDifferences.of(
            b -> b.op("HardSigmoid", n -> n.with("alpha", 0.5f).with("beta", 0.5f), "x"))
        .awayFromZero("x", 3, 4)
        .inSinglePrecision(x -> Math.max(0, Math.min(1, 0.5 * x + 0.5)))
        .check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(
            b -> b.op("HardSigmoid", n -> n.with("alpha", 0.5f).with("beta", 0.5f), "x"))
        .awayFromZero("x")
        .inSinglePrecision(x -> Math.max(0, Math.min(1, 0.5 * x + 0.5)))
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(
            b -> b.op("HardSigmoid", n -> n.with("alpha", 0.5f).with("beta", 0.5f), "x"))
        .awayFromZero("x", 0, 2)
        .inSinglePrecision(x -> Math.max(0, Math.min(1, 0.5 * x + 0.5)))
        .check();
  }
}
