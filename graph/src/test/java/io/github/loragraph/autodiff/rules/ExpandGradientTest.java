package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class ExpandGradientTest {
  @Test
  void newAxes() {
    FiniteDifferences.of(b -> b.expand("x", b.longs(2, 3, 4))).input("x", 4).check();
  }

  @Test
  void sizeOne() {
    FiniteDifferences.of(b -> b.expand("x", b.longs(2, 3))).input("x", 2, 1).check();
  }

  @Test
  void same() {
    FiniteDifferences.of(b -> b.expand("x", b.longs(2, 3))).input("x", 2, 3).check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.expand("x", b.longs(2))).input("x").check();
  }
}
