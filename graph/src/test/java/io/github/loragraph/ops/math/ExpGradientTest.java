package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class ExpGradientTest {
  @Test
  void matrix() {
    FiniteDifferences.of(b -> b.op("Exp", "x")).input("x", 3, 4).check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.op("Exp", "x")).input("x").check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Exp", "x")).input("x", 0, 2).check();
  }
}
