package io.github.loragraph.ops.nn;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class FlattenGradientTest {
  @Test
  void atOne() {
    FiniteDifferences.of(b -> b.op("Flatten", "x")).input("x", 2, 3, 4).check();
  }

  @Test
  void atZero() {
    FiniteDifferences.of(b -> b.op("Flatten", n -> n.with("axis", 0), "x"))
        .input("x", 2, 3)
        .check();
  }

  @Test
  void atTheEnd() {
    FiniteDifferences.of(b -> b.op("Flatten", n -> n.with("axis", 2), "x"))
        .input("x", 2, 3)
        .check();
  }

  @Test
  void negative() {
    FiniteDifferences.of(b -> b.op("Flatten", n -> n.with("axis", -1), "x"))
        .input("x", 2, 3, 4)
        .check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.op("Flatten", n -> n.with("axis", 0), "x")).input("x").check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Flatten", n -> n.with("axis", 2), "x"))
        .input("x", 2, 0, 3)
        .check();
  }
}
