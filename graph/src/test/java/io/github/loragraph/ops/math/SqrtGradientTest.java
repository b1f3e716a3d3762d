package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class SqrtGradientTest {
  @Test
  void matrix() {
    FiniteDifferences.of(b -> b.op("Sqrt", "x")).positive("x", 3, 4).check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.op("Sqrt", "x")).positive("x").check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Sqrt", "x")).positive("x", 0, 2).check();
  }
}
