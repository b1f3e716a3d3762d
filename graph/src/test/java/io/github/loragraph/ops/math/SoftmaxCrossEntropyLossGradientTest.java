package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.Tensor;
import org.junit.jupiter.api.Test;

/**
 * A batch without examples is not among these: ONNX Runtime 1.28 refuses the operator itself there
 * ("Invalid Target shape product of 0" in the Reshape that it is computed by).
 */
class SoftmaxCrossEntropyLossGradientTest {
  @Test
  void mean() {
    FiniteDifferences.ofAll(
            b -> b.ops("SoftmaxCrossEntropyLoss", 1, n -> n.with("reduction", "mean"), "x", "l"))
        .input("x", 3, 2)
        .constant("l", new long[] {1, 0, 1}, 3)
        .check();
  }

  @Test
  void meanWithAxes() {
    FiniteDifferences.ofAll(
            b -> b.ops("SoftmaxCrossEntropyLoss", 1, n -> n.with("reduction", "mean"), "x", "l"))
        .input("x", 2, 3, 2)
        .constant("l", new long[] {2, 0, 1, 1}, 2, 2)
        .check();
  }

  @Test
  void meanWeighted() {
    FiniteDifferences.ofAll(
            b ->
                b.ops(
                    "SoftmaxCrossEntropyLoss", 1, n -> n.with("reduction", "mean"), "x", "l", "w"))
        .input("x", 2, 3, 2)
        .constant("l", new long[] {2, 0, 1, 1}, 2, 2)
        .constant("w", Tensor.ofDoubles("w", new double[] {0.5, 2, 1.5}, 3))
        .check();
  }

  @Test
  void meanIgnoring() {
    FiniteDifferences.ofAll(
            b ->
                b.ops(
                    "SoftmaxCrossEntropyLoss",
                    1,
                    n -> n.with("reduction", "mean").with("ignore_index", -100),
                    "x",
                    "l"))
        .input("x", 3, 2)
        .constant("l", new long[] {1, -100, 0}, 3)
        .check();
  }

  @Test
  void meanIgnoringAClass() {
    FiniteDifferences.ofAll(
            b ->
                b.ops(
                    "SoftmaxCrossEntropyLoss",
                    1,
                    n -> n.with("reduction", "mean").with("ignore_index", 1),
                    "x",
                    "l",
                    "w"))
        .input("x", 2, 3, 2)
        .constant("l", new long[] {2, 0, 1, 1}, 2, 2)
        .constant("w", Tensor.ofDoubles("w", new double[] {0.5, 2, 1.5}, 3))
        .check();
  }

  @Test
  void meanAndLogProbabilities() {
    FiniteDifferences.ofAll(
            b -> b.ops("SoftmaxCrossEntropyLoss", 2, n -> n.with("reduction", "mean"), "x", "l"))
        .input("x", 3, 2)
        .constant("l", new long[] {1, 0, 1}, 3)
        .check();
  }

  @Test
  void meanWeightedAndLogProbabilities() {
    FiniteDifferences.ofAll(
            b ->
                b.ops(
                    "SoftmaxCrossEntropyLoss",
                    2,
                    n -> n.with("reduction", "mean").with("ignore_index", 1),
                    "x",
                    "l",
                    "w"))
        .input("x", 2, 3, 2)
        .constant("l", new long[] {2, 0, 1, 1}, 2, 2)
        .constant("w", Tensor.ofDoubles("w", new double[] {0.5, 2, 1.5}, 3))
        .check();
  }

  @Test
  void sum() {
    FiniteDifferences.ofAll(
            b -> b.ops("SoftmaxCrossEntropyLoss", 1, n -> n.with("reduction", "sum"), "x", "l"))
        .input("x", 3, 2)
        .constant("l", new long[] {1, 0, 1}, 3)
        .check();
  }

  @Test
  void sumWithAxes() {
    FiniteDifferences.ofAll(
            b -> b.ops("SoftmaxCrossEntropyLoss", 1, n -> n.with("reduction", "sum"), "x", "l"))
        .input("x", 2, 3, 2)
        .constant("l", new long[] {2, 0, 1, 1}, 2, 2)
        .check();
  }

  @Test
  void sumWeighted() {
    FiniteDifferences.ofAll(
            b ->
                b.ops("SoftmaxCrossEntropyLoss", 1, n -> n.with("reduction", "sum"), "x", "l", "w"))
        .input("x", 2, 3, 2)
        .constant("l", new long[] {2, 0, 1, 1}, 2, 2)
        .constant("w", Tensor.ofDoubles("w", new double[] {0.5, 2, 1.5}, 3))
        .check();
  }

  @Test
  void sumIgnoring() {
    FiniteDifferences.ofAll(
            b ->
                b.ops(
                    "SoftmaxCrossEntropyLoss",
                    1,
                    n -> n.with("reduction", "sum").with("ignore_index", -100),
                    "x",
                    "l"))
        .input("x", 3, 2)
        .constant("l", new long[] {1, -100, 0}, 3)
        .check();
  }

  @Test
  void sumIgnoringAClass() {
    FiniteDifferences.ofAll(
            b ->
                b.ops(
                    "SoftmaxCrossEntropyLoss",
                    1,
                    n -> n.with("reduction", "sum").with("ignore_index", 1),
                    "x",
                    "l",
                    "w"))
        .input("x", 2, 3, 2)
        .constant("l", new long[] {2, 0, 1, 1}, 2, 2)
        .constant("w", Tensor.ofDoubles("w", new double[] {0.5, 2, 1.5}, 3))
        .check();
  }

  @Test
  void sumAndLogProbabilities() {
    FiniteDifferences.ofAll(
            b -> b.ops("SoftmaxCrossEntropyLoss", 2, n -> n.with("reduction", "sum"), "x", "l"))
        .input("x", 3, 2)
        .constant("l", new long[] {1, 0, 1}, 3)
        .check();
  }

  @Test
  void sumWeightedAndLogProbabilities() {
    FiniteDifferences.ofAll(
            b ->
                b.ops(
                    "SoftmaxCrossEntropyLoss",
                    2,
                    n -> n.with("reduction", "sum").with("ignore_index", 1),
                    "x",
                    "l",
                    "w"))
        .input("x", 2, 3, 2)
        .constant("l", new long[] {2, 0, 1, 1}, 2, 2)
        .constant("w", Tensor.ofDoubles("w", new double[] {0.5, 2, 1.5}, 3))
        .check();
  }

  @Test
  void none() {
    FiniteDifferences.ofAll(
            b -> b.ops("SoftmaxCrossEntropyLoss", 1, n -> n.with("reduction", "none"), "x", "l"))
        .input("x", 3, 2)
        .constant("l", new long[] {1, 0, 1}, 3)
        .check();
  }

  @Test
  void noneWithAxes() {
    FiniteDifferences.ofAll(
            b -> b.ops("SoftmaxCrossEntropyLoss", 1, n -> n.with("reduction", "none"), "x", "l"))
        .input("x", 2, 3, 2)
        .constant("l", new long[] {2, 0, 1, 1}, 2, 2)
        .check();
  }

  @Test
  void noneWeighted() {
    FiniteDifferences.ofAll(
            b ->
                b.ops(
                    "SoftmaxCrossEntropyLoss", 1, n -> n.with("reduction", "none"), "x", "l", "w"))
        .input("x", 2, 3, 2)
        .constant("l", new long[] {2, 0, 1, 1}, 2, 2)
        .constant("w", Tensor.ofDoubles("w", new double[] {0.5, 2, 1.5}, 3))
        .check();
  }

  @Test
  void noneIgnoring() {
    FiniteDifferences.ofAll(
            b ->
                b.ops(
                    "SoftmaxCrossEntropyLoss",
                    1,
                    n -> n.with("reduction", "none").with("ignore_index", -100),
                    "x",
                    "l"))
        .input("x", 3, 2)
        .constant("l", new long[] {1, -100, 0}, 3)
        .check();
  }

  @Test
  void noneIgnoringAClass() {
    FiniteDifferences.ofAll(
            b ->
                b.ops(
                    "SoftmaxCrossEntropyLoss",
                    1,
                    n -> n.with("reduction", "none").with("ignore_index", 1),
                    "x",
                    "l",
                    "w"))
        .input("x", 2, 3, 2)
        .constant("l", new long[] {2, 0, 1, 1}, 2, 2)
        .constant("w", Tensor.ofDoubles("w", new double[] {0.5, 2, 1.5}, 3))
        .check();
  }

  @Test
  void noneAndLogProbabilities() {
    FiniteDifferences.ofAll(
            b -> b.ops("SoftmaxCrossEntropyLoss", 2, n -> n.with("reduction", "none"), "x", "l"))
        .input("x", 3, 2)
        .constant("l", new long[] {1, 0, 1}, 3)
        .check();
  }

  @Test
  void noneWeightedAndLogProbabilities() {
    FiniteDifferences.ofAll(
            b ->
                b.ops(
                    "SoftmaxCrossEntropyLoss",
                    2,
                    n -> n.with("reduction", "none").with("ignore_index", 1),
                    "x",
                    "l",
                    "w"))
        .input("x", 2, 3, 2)
        .constant("l", new long[] {2, 0, 1, 1}, 2, 2)
        .constant("w", Tensor.ofDoubles("w", new double[] {0.5, 2, 1.5}, 3))
        .check();
  }

  @Test
  void onlyLogProbabilities() {
    FiniteDifferences.of(b -> b.ops("SoftmaxCrossEntropyLoss", 2, n -> n, "x", "l").get(1))
        .input("x", 3, 2)
        .constant("l", new long[] {1, 0, 1}, 3)
        .check();
  }

  @Test
  void withoutReduction() {
    FiniteDifferences.ofAll(b -> b.ops("SoftmaxCrossEntropyLoss", 1, n -> n, "x", "l"))
        .input("x", 3, 2)
        .constant("l", new long[] {1, 0, 1}, 3)
        .check();
  }

  @Test
  void smallLabels() {
    FiniteDifferences.ofAll(
            b -> b.ops("SoftmaxCrossEntropyLoss", 1, n -> n.with("ignore_index", 0), "x", "l"))
        .input("x", 3, 2)
        .constant("l", Tensor.ofInts("l", new int[] {1, 0, 1}, 3))
        .check();
  }

  @Test
  void oneExample() {
    FiniteDifferences.ofAll(b -> b.ops("SoftmaxCrossEntropyLoss", 1, n -> n, "x", "l"))
        .input("x", 1, 4)
        .constant("l", new long[] {3}, 1)
        .check();
  }
}
