package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class SqueezeGradientTest {
  @Test
  void someAxes() {
    FiniteDifferences.of(b -> b.squeeze("x", 0, -1)).input("x", 1, 3, 1).check();
  }

  @Test
  void allAxes() {
    FiniteDifferences.of(b -> b.op("Squeeze", "x")).input("x", 1, 3, 1).check();
  }
}
