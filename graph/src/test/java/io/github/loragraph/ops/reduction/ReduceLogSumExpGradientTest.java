package io.github.loragraph.ops.reduction;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class ReduceLogSumExpGradientTest {
  @Test
  void lastAxis() {
    FiniteDifferences.of(b -> b.reduce("ReduceLogSumExp", "x", b.longs(-1), true))
        .awayFromZero("x", 3, 4)
        .check();
  }

  @Test
  void dropped() {
    FiniteDifferences.of(b -> b.reduce("ReduceLogSumExp", "x", b.longs(0, -1), false))
        .awayFromZero("x", 2, 3, 4)
        .check();
  }

  @Test
  void all() {
    FiniteDifferences.of(b -> b.reduce("ReduceLogSumExp", "x", "", false))
        .awayFromZero("x", 3, 4)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.reduce("ReduceLogSumExp", "x", b.longs(1), true))
        .input("x", 0, 3)
        .check();
  }
}
