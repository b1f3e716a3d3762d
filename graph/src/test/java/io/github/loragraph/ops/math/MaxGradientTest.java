package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import org.junit.jupiter.api.Test;

class MaxGradientTest {
  @Test
  void broadcast() {
    FiniteDifferences.of(b -> b.op("Max", "a", "b"))
        .distinct("a", 3, 4)
        .input("b", x -> 0.03 + 0.07 * Math.round(x * 9), 4)
        .check();
  }

  @Test
  void one() {
    FiniteDifferences.of(b -> b.op("Max", "a")).input("a", 2, 2).check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.op("Max", "a", "b"))
        .distinct("a", 2, 2)
        .input("b", x -> 0.013)
        .check();
  }

  @Test
  void firstBroadcast() {
    FiniteDifferences.of(b -> b.op("Max", "a", "b"))
        .input("a", x -> 0.03 + 0.07 * Math.round(x * 9), 1, 4)
        .distinct("b", 3, 4)
        .check();
  }

  @Test
  void three() {
    FiniteDifferences.of(b -> b.op("Max", "a", "b", "c"))
        .input("a", x -> 0.02 + 0.07 * Math.round(x * 9), 4)
        .distinct("b", 3, 4)
        .input("c", x -> 0.05 + 0.07 * Math.round(x * 9), 3, 1)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Max", "a", "b")).input("a", 0, 3).input("b", 1, 3).check();
  }

  /** Half to each, as in PyTorch, which is the central difference, too. */
  @Test
  void tiesShareEvenly() {
    FiniteDifferences.of(b -> b.op("Max", "a", "b"))
        .input("a", x -> 0.5, 2, 3)
        .input("b", x -> 0.5, 3)
        .check();
  }

  /** A third to each: the central difference would be a half. */
  @Test
  void tiesOfThreeShareEvenly() {
    FiniteDifferences.of(b -> b.op("Max", "x", "c", "c"))
        .input("x", x -> 0.5, 3)
        .constant("c", Tensor.filled("c", ElementType.FLOAT, 0.5, 3))
        .inSinglePrecision(x -> x / 3)
        .check();
  }
}
