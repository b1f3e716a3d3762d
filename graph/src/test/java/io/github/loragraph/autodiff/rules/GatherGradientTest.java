package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class GatherGradientTest {
  @Test
  void oneRowOfAxisOne() {
    FiniteDifferences.of(b -> b.gather("x", "i", 1))
        .input("x", 2, 3, 4)
        .constant("i", new long[] {0})
        .check();
  }

  @Test
  void oneRowOfAxisTwo() {
    FiniteDifferences.of(b -> b.gather("x", "i", 2))
        .input("x", 2, 3, 4)
        .constant("i", new long[] {1})
        .check();
  }

  @Test
  void lastRow() {
    FiniteDifferences.of(b -> b.gather("x", "i", 1))
        .input("x", 2, 3, 4)
        .constant("i", new long[] {-1})
        .check();
  }

  @Test
  void embedding() {
    FiniteDifferences.of(b -> b.gather("x", "i", 0))
        .input("x", 5, 3)
        .constant("i", new long[] {1, 4, 1, 0}, 2, 2)
        .check();
  }

  @Test
  void repeatedRows() {
    FiniteDifferences.of(b -> b.gather("x", "i", 0))
        .input("x", 3, 2)
        .constant("i", new long[] {2, 2, 2}, 3)
        .check();
  }

  @Test
  void negativeRows() {
    FiniteDifferences.of(b -> b.gather("x", "i", 0))
        .input("x", 3, 2)
        .constant("i", new long[] {-1, 0, -3}, 3)
        .check();
  }

  @Test
  void manyOffAxisZero() {
    FiniteDifferences.of(b -> b.gather("x", "i", 1))
        .input("x", 2, 4, 3)
        .constant("i", new long[] {3, 1, 1}, 3)
        .withRanksKnown()
        .check();
  }

  @Test
  void negativeAxis() {
    FiniteDifferences.of(b -> b.gather("x", "i", -1))
        .input("x", 2, 4)
        .constant("i", new long[] {3, 1}, 2)
        .withRanksKnown()
        .check();
  }
}
