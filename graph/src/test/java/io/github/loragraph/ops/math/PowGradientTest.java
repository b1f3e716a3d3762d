package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import org.junit.jupiter.api.Test;

class PowGradientTest {
  @Test
  void square() {
    FiniteDifferences.of(b -> b.pow("x", "c"))
        .input("x", 2, 3)
        .constant("c", Tensor.scalar("c", ElementType.DOUBLE, 2))
        .check();
  }

  @Test
  void cube() {
    FiniteDifferences.of(b -> b.pow("x", "c"))
        .input("x", 2, 3)
        .constant("c", Tensor.scalar("c", ElementType.DOUBLE, 3))
        .check();
  }

  @Test
  void root() {
    FiniteDifferences.of(b -> b.pow("x", "c"))
        .positive("x", 2, 3)
        .constant("c", Tensor.scalar("c", ElementType.DOUBLE, 0.5))
        .check();
  }

  @Test
  void variableExponent() {
    FiniteDifferences.of(b -> b.pow("x", "e")).positive("x", 2, 3).input("e", 2, 3).check();
  }

  @Test
  void exponentBroadcast() {
    FiniteDifferences.of(b -> b.pow("x", "e")).positive("x", 2, 3).input("e", 3).check();
  }

  @Test
  void baseBroadcast() {
    FiniteDifferences.of(b -> b.pow("x", "e")).positive("x", 3, 1).input("e", 2, 1, 4).check();
  }

  @Test
  void frozenBase() {
    FiniteDifferences.of(b -> b.pow("x", "e"))
        .constant("x", Tensor.ofDoubles("x", new double[] {0.5, 2, 3}, 3))
        .input("e", 2, 3)
        .check();
  }

  @Test
  void constantExponents() {
    FiniteDifferences.of(b -> b.pow("x", "e"))
        .input("x", 2, 3)
        .constant("e", Tensor.ofDoubles("e", new double[] {1, 2, 3}, 3))
        .check();
  }

  @Test
  void exponentOfMoreAxes() {
    FiniteDifferences.of(b -> b.pow("x", "e"))
        .input("x")
        .constant("e", Tensor.ofDoubles("e", new double[] {3}, 1, 1))
        .check();
  }

  @Test
  void wholeExponents() {
    FiniteDifferences.of(b -> b.pow("x", "e"))
        .input("x", 2, 3)
        .constant("e", new long[] {3, 2, 1}, 3)
        .check();
  }

  @Test
  void exponentZero() {
    FiniteDifferences.of(b -> b.pow("x", "e"))
        .input("x", x -> 0, 3)
        .constant("e", Tensor.scalar("e", ElementType.DOUBLE, 0))
        .check();
  }

  @Test
  void exponentsZero() {
    FiniteDifferences.of(b -> b.pow("x", "e"))
        .input("x", x -> 0, 2)
        .constant("e", Tensor.ofDoubles("e", new double[] {0, 2}, 2))
        .check();
  }

  /** As in PyTorch, the exponent of a zero gets nothing. */
  @Test
  void zeroToAVariable() {
    FiniteDifferences.of(b -> b.pow("x", "e"))
        .constant("x", Tensor.ofDoubles("x", new double[] {0, 0, 2}, 3))
        .positive("e", 3)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.pow("x", "e")).positive("x", 0, 3).input("e", 3).check();
  }
}
