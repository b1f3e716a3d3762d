package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class ExpandGradientTest {
  @Test
  void axis() {
    FiniteDifferences.of(b -> b.expand("x", b.longs(2, 4, 3))).input("x", 2, 1, 3).check();
  }

  @Test
  void newAxes() {
    FiniteDifferences.of(b -> b.expand("x", b.longs(2, 4, 3))).input("x", 3).check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.expand("x", b.longs(2, 3))).input("x").check();
  }

  @Test
  void onesInTheShape() {
    FiniteDifferences.of(b -> b.expand("x", b.longs(2, 1, 1))).input("x", 3, 1).check();
  }

  @Test
  void sameShape() {
    FiniteDifferences.of(b -> b.expand("x", b.longs(2, 3))).input("x", 2, 3).check();
  }

  @Test
  void computedShape() {
    FiniteDifferences.of(b -> b.expand("x", b.add("s", "s")))
        .input("x", 1, 1)
        .constant("s", new long[] {1, 2}, 2)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.expand("x", b.longs(2, 0, 3))).input("x", 0, 3).check();
  }
}
