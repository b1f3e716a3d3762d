package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class SplitGradientTest {
  @Test
  void equalParts() {
    FiniteDifferences.ofAll(
            b -> b.ops("Split", 2, n -> n.with("axis", 1).with("num_outputs", 2), "x"))
        .input("x", 2, 4)
        .check();
  }

  @Test
  void givenParts() {
    FiniteDifferences.ofAll(b -> b.ops("Split", 3, n -> n.with("axis", -1), "x", b.longs(1, 2, 1)))
        .input("x", 2, 4)
        .check();
  }

  @Test
  void unusedPart() {
    FiniteDifferences.of(
            b -> b.ops("Split", 2, n -> n.with("axis", 0).with("num_outputs", 2), "x").get(1))
        .input("x", 4, 2)
        .check();
  }
}
