package io.github.loragraph.autodiff.rules;

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
}
