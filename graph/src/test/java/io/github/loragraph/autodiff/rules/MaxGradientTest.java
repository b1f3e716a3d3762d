package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class MaxGradientTest {
  @Test
  void broadcast() {
    FiniteDifferences.of(b -> b.op("Max", "a", "b"))
        .distinct("a", 3, 4)
        .input("b", x -> 0.03 + 0.07 * Math.round(x * 9), 4)
        .check();
  }

  @Test
  void one() {
    FiniteDifferences.of(b -> b.op("Max", "a")).input("a", 2, 2).check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.op("Max", "a", "b"))
        .distinct("a", 2, 2)
        .input("b", x -> 0.013)
        .check();
  }
}
