package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class ReduceMinGradientTest {
  @Test
  void lastAxis() {
    FiniteDifferences.of(b -> b.reduce("ReduceMin", "x", b.longs(-1), true))
        .distinct("x", 3, 4)
        .check();
  }

  @Test
  void dropped() {
    FiniteDifferences.of(b -> b.reduce("ReduceMin", "x", b.longs(0), false))
        .distinct("x", 3, 4)
        .check();
  }

  @Test
  void all() {
    FiniteDifferences.of(b -> b.reduce("ReduceMin", "x", "", false)).distinct("x", 3, 4).check();
  }
}
