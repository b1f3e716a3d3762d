package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class ReshapeGradientTest {
  @Test
  void flat() {
    FiniteDifferences.of(b -> b.reshape("x", -1)).input("x", 2, 3).check();
  }

  @Test
  void copiedAndInferred() {
    FiniteDifferences.of(b -> b.reshape("x", 0, -1, 2)).input("x", 2, 3, 4).check();
  }

  @Test
  void fromScalar() {
    FiniteDifferences.of(b -> b.reshape("x", 1, 1)).input("x").check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Reshape", n -> n.with("allowzero", 1), "x", b.longs(3, 0)))
        .input("x", 0, 2)
        .check();
  }
}
