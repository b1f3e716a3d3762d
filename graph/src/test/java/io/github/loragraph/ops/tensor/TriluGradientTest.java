package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class TriluGradientTest {
  @Test
  void upper() {
    FiniteDifferences.of(b -> b.op("Trilu", "x")).input("x", 3, 4).check();
  }

  @Test
  void lower() {
    FiniteDifferences.of(b -> b.op("Trilu", n -> n.with("upper", 0), "x"))
        .input("x", 2, 4, 3)
        .check();
  }

  @Test
  void shifted() {
    FiniteDifferences.of(b -> b.op("Trilu", "x", "k"))
        .input("x", 3, 4)
        .constant("k", new long[] {-1})
        .check();
  }

  @Test
  void lowerShifted() {
    FiniteDifferences.of(b -> b.op("Trilu", n -> n.with("upper", 0), "x", "k"))
        .input("x", 3, 3)
        .constant("k", new long[] {1})
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Trilu", "x")).input("x", 0, 3, 3).check();
  }
}
