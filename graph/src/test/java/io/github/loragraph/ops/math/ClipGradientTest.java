package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import org.junit.jupiter.api.Test;

class ClipGradientTest {
  @Test
  void both() {
    FiniteDifferences.of(b -> b.op("Clip", "x", "low", "high"))
        .distinct("x", 3, 4)
        .constant("low", Tensor.scalar("c", ElementType.DOUBLE, -1.015))
        .constant("high", Tensor.scalar("c", ElementType.DOUBLE, 0.515))
        .check();
  }

  @Test
  void low() {
    FiniteDifferences.of(b -> b.op("Clip", "x", "low"))
        .distinct("x", 3, 4)
        .constant("low", Tensor.scalar("c", ElementType.DOUBLE, 0.015))
        .check();
  }

  @Test
  void high() {
    FiniteDifferences.of(b -> b.op("Clip", "x", "", "high"))
        .distinct("x", 3, 4)
        .constant("high", Tensor.scalar("c", ElementType.DOUBLE, 0.015))
        .check();
  }

  @Test
  void none() {
    FiniteDifferences.of(b -> b.op("Clip", "x")).input("x", 2, 2).check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Clip", "x", "low"))
        .input("x", 2, 0)
        .constant("low", Tensor.scalar("c", ElementType.DOUBLE, 0))
        .check();
  }
}
