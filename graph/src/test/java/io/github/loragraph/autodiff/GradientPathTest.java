package io.github.loragraph.autodiff;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import org.junit.jupiter.api.Test;

/** Gradients stop at integers and booleans: what is made from them does not depend on the input. */
class GradientPathTest {
  @Test
  void aShapeFilledWithNumbers() {
    FiniteDifferences.of(
            b -> {
              Tensor half = Tensor.filled("value", ElementType.DOUBLE, 0.5, 1);
              String filled =
                  b.op("ConstantOfShape", n -> n.with("value", half), b.shape(b.exp("x")));
              return b.mul("x", b.exp(filled));
            })
        .input("x", 2, 3)
        .check();
  }

  @Test
  void theSizeAsANumber() {
    FiniteDifferences.of(b -> b.div("x", b.cast(b.op("Size", b.exp("x")), ElementType.DOUBLE)))
        .input("x", 2, 3)
        .check();
  }

  @Test
  void theLargestEntry() {
    FiniteDifferences.of(
            b -> {
              String largest =
                  b.op("ArgMax", n -> n.with("axis", 0).with("keepdims", 0), b.exp("x"));
              return b.gather("x", largest, 0);
            })
        .distinct("x", 5)
        .check();
  }

  @Test
  void aComparison() {
    FiniteDifferences.of(
            b -> {
              String positive =
                  b.cast(
                      b.op("Greater", b.exp("x"), b.scalar(ElementType.DOUBLE, 1)),
                      ElementType.DOUBLE);
              return b.mul(positive, b.mul("x", "x"));
            })
        .awayFromZero("x", 2, 3)
        .check();
  }

  @Test
  void aRange() {
    FiniteDifferences.of(
            b -> {
              String size = b.op("Size", "x");
              String range =
                  b.op(
                      "Range",
                      b.scalar(ElementType.INT64, 0),
                      size,
                      b.scalar(ElementType.INT64, 1));
              return b.mul("x", b.exp(b.cast(range, ElementType.DOUBLE)));
            })
        .input("x", 3)
        .check();
  }
}
