package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class SliceGradientTest {
  @Test
  void firstOfAnAxis() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(0), b.longs(1), b.longs(1)))
        .input("x", 2, 3, 4)
        .check();
  }

  @Test
  void twoAxes() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(1, 0), b.longs(3, 2), b.longs(0, 2)))
        .input("x", 4, 3, 4)
        .check();
  }

  @Test
  void negative() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(-2), b.longs(-1), b.longs(-1)))
        .input("x", 2, 4)
        .check();
  }

  @Test
  void farEnd() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(1), b.longs(Long.MAX_VALUE), b.longs(0)))
        .input("x", 3, 2)
        .check();
  }

  @Test
  void farStart() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(-100), b.longs(2), b.longs(0)))
        .input("x", 3, 2)
        .check();
  }

  @Test
  void withoutAxes() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(1), b.longs(2))).input("x", 3, 2).check();
  }

  @Test
  void nothing() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(2), b.longs(1), b.longs(0)))
        .input("x", 3, 2)
        .check();
  }
}
