package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class PadGradientTest {
  @Test
  void allAxes() {
    FiniteDifferences.of(b -> b.op("Pad", "x", b.longs(1, 0, 2, 3))).input("x", 2, 3).check();
  }

  @Test
  void someAxes() {
    FiniteDifferences.of(b -> b.op("Pad", "x", b.longs(1, 2), "", b.longs(-1)))
        .input("x", 2, 3)
        .check();
  }
}
