package io.github.loragraph.ops.reduction;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class ReduceSumGradientTest {
  @Test
  void lastAxisKept() {
    FiniteDifferences.of(b -> b.reduce("ReduceSum", "x", b.longs(-1), true))
        .input("x", 2, 3)
        .check();
  }

  @Test
  void someAxesDropped() {
    FiniteDifferences.of(b -> b.reduce("ReduceSum", "x", b.longs(0, 2), false))
        .input("x", 2, 3, 4)
        .check();
  }

  @Test
  void allAxesDropped() {
    FiniteDifferences.of(b -> b.reduce("ReduceSum", "x", "", false)).input("x", 2, 3).check();
  }

  @Test
  void allAxesKept() {
    FiniteDifferences.of(b -> b.reduce("ReduceSum", "x", "", true)).input("x", 2, 3).check();
  }

  @Test
  void noAxes() {
    FiniteDifferences.of(b -> b.op("ReduceSum", n -> n.with("noop_with_empty_axes", 1), "x"))
        .input("x", 2, 3)
        .check();
  }

  @Test
  void sizeOne() {
    FiniteDifferences.of(b -> b.reduce("ReduceSum", "x", b.longs(1), true))
        .input("x", 3, 1)
        .check();
  }

  @Test
  void emptyAxis() {
    FiniteDifferences.of(b -> b.reduce("ReduceSum", "x", b.longs(0), true))
        .input("x", 0, 3)
        .check();
  }

  @Test
  void emptyAxisTakenOut() {
    FiniteDifferences.of(b -> b.reduce("ReduceSum", "x", b.longs(1), false))
        .input("x", 2, 0)
        .check();
  }
}
