package io.github.loragraph.ops.tensor;

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
  void toScalar() {
    FiniteDifferences.of(b -> b.op("Reshape", "x", b.longs())).input("x", 1, 1).check();
  }

  @Test
  void headsApart() {
    FiniteDifferences.of(b -> b.reshape("x", 0, 0, 3, 2)).input("x", 2, 4, 6).check();
  }

  @Test
  void computedShape() {
    FiniteDifferences.of(b -> b.reshape("x", b.add("s", "s")))
        .input("x", 2, 4)
        .constant("s", new long[] {4}, 1)
        .check();
  }

  @Test
  void ofAGradient() {
    FiniteDifferences.of(b -> b.mul(b.reshape("x", 3, 2), b.reshape("x", 3, 2)))
        .input("x", 2, 3)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Reshape", n -> n.with("allowzero", 1), "x", b.longs(3, 0)))
        .input("x", 0, 2)
        .check();
  }

  @Test
  void sizeZeroCopied() {
    FiniteDifferences.of(b -> b.reshape("x", 0, 2, 2)).input("x", 0, 4).check();
  }
}
