package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class SumGradientTest {
  @Test
  void three() {
    FiniteDifferences.of(b -> b.op("Sum", "a", "b", "c"))
        .input("a", 2, 3)
        .input("b", 3)
        .input("c", 2, 1)
        .check();
  }

  @Test
  void one() {
    FiniteDifferences.of(b -> b.op("Sum", "a")).input("a", 2).check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Sum", "a", "b", "c"))
        .input("a", 0, 3)
        .input("b", 3)
        .input("c", 1, 1)
        .check();
  }
}
