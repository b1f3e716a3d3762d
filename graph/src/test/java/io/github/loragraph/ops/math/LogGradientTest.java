package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class LogGradientTest {
  @Test
  void matrix() {
    FiniteDifferences.of(b -> b.op("Log", "x")).positive("x", 3, 4).check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.op("Log", "x")).positive("x").check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Log", "x")).positive("x", 0, 2).check();
  }
}
