package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.ElementType;
import org.junit.jupiter.api.Test;

class CastGradientTest {
  @Test
  void toDouble() {
    FiniteDifferences.of(b -> b.cast(b.cast("x", ElementType.DOUBLE), ElementType.FLOAT))
        .input("x", 2, 3)
        .inSinglePrecision(x -> x)
        .check();
  }

  @Test
  void thereAndBack() {
    FiniteDifferences.of(b -> b.cast(b.cast("x", ElementType.DOUBLE), ElementType.DOUBLE))
        .input("x", 2, 3)
        .check();
  }

  @Test
  void throughIntegersNothingComesBack() {
    FiniteDifferences.of(
            b -> b.add("x", b.cast(b.cast("x", ElementType.INT64), ElementType.DOUBLE)))
        .input("x", x -> 0.25 + 0.1 * x, 2, 3)
        .check();
  }

  @Test
  void throughABooleanNothingComesBack() {
    FiniteDifferences.of(
            b ->
                b.where(
                    b.op("Greater", "x", b.scalar(ElementType.DOUBLE, 0)), "x", b.mul("x", "x")))
        .awayFromZero("x", 2, 3)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.cast(b.cast("x", ElementType.DOUBLE), ElementType.DOUBLE))
        .input("x", 0, 3)
        .check();
  }
}
