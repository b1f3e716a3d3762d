package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.ElementType;
import org.junit.jupiter.api.Test;

class CumSumGradientTest {
  @Test
  void forward() {
    FiniteDifferences.of(b -> b.op("CumSum", n -> n, "x", b.scalar(ElementType.INT64, 1)))
        .input("x", 2, 3)
        .check();
  }

  @Test
  void exclusiveReverse() {
    FiniteDifferences.of(
            b ->
                b.op(
                    "CumSum",
                    n -> n.with("exclusive", 1).with("reverse", 1),
                    "x",
                    b.scalar(ElementType.INT64, 0)))
        .input("x", 3, 2)
        .check();
  }

  @Test
  void negativeAxis() {
    FiniteDifferences.of(
            b -> b.op("CumSum", n -> n.with("exclusive", 1), "x", b.scalar(ElementType.INT64, -1)))
        .input("x", 2, 3)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("CumSum", n -> n, "x", b.scalar(ElementType.INT64, 1)))
        .input("x", 0, 3)
        .check();
  }

  @Test
  void emptyAxis() {
    FiniteDifferences.of(b -> b.op("CumSum", n -> n, "x", b.scalar(ElementType.INT64, 1)))
        .input("x", 3, 0)
        .check();
  }
}
