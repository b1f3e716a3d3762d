package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import java.util.List;
import org.junit.jupiter.api.Test;

class PReluGradientTest {
  @Test
  void aSlopeForEachChannel() {
    FiniteDifferences.of(b -> b.op("PRelu", "x", "slope"))
        .awayFromZero("x", 2, 3, 4)
        .input("slope", 3, 1)
        .inSinglePrecisionAs(PReluGradientTest::spelledOut)
        .check();
  }

  @Test
  void oneSlope() {
    FiniteDifferences.of(b -> b.op("PRelu", "x", "slope"))
        .awayFromZero("x", 2, 3)
        .input("slope", 1)
        .inSinglePrecisionAs(PReluGradientTest::spelledOut)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("PRelu", "x", "slope"))
        .awayFromZero("x", 0, 3)
        .input("slope", 3)
        .inSinglePrecisionAs(PReluGradientTest::spelledOut)
        .check();
  }

  /** max(0, x) + slope min(0, x). */
  private static List<String> spelledOut(GraphBuilder b) {
    String zero = b.scalar(ElementType.DOUBLE, 0);
    return List.of(b.add(b.op("Max", "x", zero), b.mul("slope", b.op("Min", "x", zero))));
  }
}
