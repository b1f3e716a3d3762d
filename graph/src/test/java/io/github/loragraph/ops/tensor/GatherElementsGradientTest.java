package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class GatherElementsGradientTest {
  @Test
  void lastAxis() {
    FiniteDifferences.of(b -> b.op("GatherElements", n -> n.with("axis", 1), "x", "i"))
        .input("x", 3, 4)
        .constant("i", new long[] {0, 3, 2, 2, 1, 0}, 3, 2)
        .check();
  }

  @Test
  void firstAxis() {
    FiniteDifferences.of(b -> b.op("GatherElements", "x", "i"))
        .input("x", 3, 2)
        .constant("i", new long[] {0, 2, 2, -1}, 2, 2)
        .check();
  }

  @Test
  void repeatedOnANegativeAxis() {
    FiniteDifferences.of(b -> b.op("GatherElements", n -> n.with("axis", -2), "x", "i"))
        .input("x", 2, 3, 2)
        .constant("i", new long[] {1, 1, 1, -1, 1, 0, 1, 2}, 2, 2, 2)
        .check();
  }

  @Test
  void computedIndices() {
    FiniteDifferences.of(b -> b.op("GatherElements", "x", b.add("i", "i")))
        .input("x", 3, 2)
        .constant("i", new long[] {0, 1}, 1, 2)
        .check();
  }

  @Test
  void none() {
    FiniteDifferences.of(b -> b.op("GatherElements", "x", "i"))
        .input("x", 3, 2)
        .constant("i", new long[0], 0, 2)
        .check();
  }

  @Test
  void ofAnEmptyTensor() {
    FiniteDifferences.of(b -> b.op("GatherElements", "x", "i"))
        .input("x", 0, 2)
        .constant("i", new long[0], 0, 2)
        .check();
  }
}
