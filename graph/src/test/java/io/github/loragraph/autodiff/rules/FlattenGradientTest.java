package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class FlattenGradientTest {
  @Test
  void first() {
    FiniteDifferences.of(b -> b.op("Flatten", "x")).input("x", 2, 3, 4).check();
  }

  @Test
  void all() {
    FiniteDifferences.of(b -> b.op("Flatten", n -> n.with("axis", 0), "x"))
        .input("x", 2, 3)
        .check();
  }
}
