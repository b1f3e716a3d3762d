package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class FloorGradientTest {
  @Test
  void besideAnotherWay() {
    FiniteDifferences.of(b -> b.mul("x", b.op("Floor", b.mul("x", "x")))).input("x", 3, 4).check();
  }
}
