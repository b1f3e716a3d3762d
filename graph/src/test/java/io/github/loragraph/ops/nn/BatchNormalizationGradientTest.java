package io.github.loragraph.ops.nn;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.Tensor;
import org.junit.jupiter.api.Test;

class BatchNormalizationGradientTest {
  private static FiniteDifferences normalization() {
    return FiniteDifferences.of(
            b ->
                b.op(
                    "BatchNormalization",
                    n -> n.with("epsilon", 1e-3f),
                    "x",
                    "scale",
                    "bias",
                    "mean",
                    "variance"))
        .withRanksKnown();
  }

  @Test
  void allInputs() {
    normalization()
        .input("x", 2, 3, 4, 2)
        .input("scale", 3)
        .input("bias", 3)
        .input("mean", 3)
        .positive("variance", 3)
        .check();
  }

  @Test
  void statisticsFrozen() {
    normalization()
        .input("x", 3, 2)
        .input("scale", 2)
        .input("bias", 2)
        .frozen("mean", 2)
        .constant("variance", Tensor.ofDoubles("v", new double[] {1, 2}, 2))
        .check();
  }

  @Test
  void oneChannelOfSizeOneAndNoExamples() {
    normalization()
        .input("x", 0, 1, 3)
        .input("scale", 1)
        .input("bias", 1)
        .frozen("mean", 1)
        .constant("variance", Tensor.ofDoubles("v", new double[] {1}, 1))
        .check();
  }
}
