package io.github.loragraph.ops.reduction;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import org.junit.jupiter.api.Test;

class ReduceMaxGradientTest {
  @Test
  void lastAxis() {
    FiniteDifferences.of(b -> b.reduce("ReduceMax", "x", b.longs(-1), true))
        .distinct("x", 3, 4)
        .check();
  }

  @Test
  void dropped() {
    FiniteDifferences.of(b -> b.reduce("ReduceMax", "x", b.longs(0), false))
        .distinct("x", 3, 4)
        .check();
  }

  @Test
  void all() {
    FiniteDifferences.of(b -> b.reduce("ReduceMax", "x", "", false)).distinct("x", 3, 4).check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.reduce("ReduceMax", "x", b.longs(1), true))
        .input("x", 0, 3)
        .check();
  }

  /**
   * A third to each of three, as PyTorch's amax and amin; its max and min over an axis choose one.
   */
  @Test
  void tiesShareEvenly() {
    FiniteDifferences.of(b -> b.reduce("ReduceMax", b.concat(1, "x", "c"), b.longs(1), true))
        .input("x", x -> 0.5, 3, 1)
        .constant("c", Tensor.filled("c", ElementType.FLOAT, 0.5, 3, 2))
        .inSinglePrecision(x -> x / 3)
        .check();
  }
}
