package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class SignGradientTest {
  @Test
  void besideAnotherWay() {
    FiniteDifferences.of(b -> b.mul("x", b.op("Sign", b.mul("x", "x")))).input("x", 3, 4).check();
  }
}
