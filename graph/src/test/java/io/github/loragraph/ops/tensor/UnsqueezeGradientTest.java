package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class UnsqueezeGradientTest {
  @Test
  void frontAndBack() {
    FiniteDifferences.of(b -> b.unsqueeze("x", 0, -1)).input("x", 2, 3).check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.unsqueeze("x", 0)).input("x").check();
  }

  @Test
  void unordered() {
    FiniteDifferences.of(b -> b.unsqueeze("x", 3, 0)).input("x", 2, 3).check();
  }

  @Test
  void computedAxes() {
    FiniteDifferences.of(b -> b.op("Unsqueeze", "x", b.add("i", "i")))
        .input("x", 2, 3)
        .constant("i", new long[] {1}, 1)
        .check();
  }

  @Test
  void besideOnes() {
    FiniteDifferences.of(b -> b.unsqueeze("x", 1)).input("x", 1, 1).check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.unsqueeze("x", 1)).input("x", 0, 3).check();
  }
}
