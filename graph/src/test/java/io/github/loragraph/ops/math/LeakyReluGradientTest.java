package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class LeakyReluGradientTest {
  @Test
  void matrix() {
    FiniteDifferences.of(b -> b.op("LeakyRelu", n -> n.with("alpha", 0.25f), "x"))
        .awayFromZero("x", 3, 4)
        .inSinglePrecision(x -> x > 0 ? x : 0.25 * x)
        .check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.op("LeakyRelu", n -> n.with("alpha", 0.25f), "x"))
        .awayFromZero("x")
        .inSinglePrecision(x -> x > 0 ? x : 0.25 * x)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("LeakyRelu", n -> n.with("alpha", 0.25f), "x"))
        .awayFromZero("x", 0, 2)
        .inSinglePrecision(x -> x > 0 ? x : 0.25 * x)
        .check();
  }
}
