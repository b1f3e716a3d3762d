package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class SqueezeGradientTest {
  @Test
  void someAxes() {
    FiniteDifferences.of(b -> b.squeeze("x", 0, -1)).input("x", 1, 3, 1).check();
  }

  @Test
  void oneAxis() {
    FiniteDifferences.of(b -> b.squeeze("x", -2)).input("x", 2, 1, 3).check();
  }

  @Test
  void allAxes() {
    FiniteDifferences.of(b -> b.op("Squeeze", "x")).input("x", 1, 3, 1).check();
  }

  @Test
  void toScalar() {
    FiniteDifferences.of(b -> b.op("Squeeze", "x")).input("x", 1, 1).check();
  }

  @Test
  void computedAxes() {
    FiniteDifferences.of(b -> b.op("Squeeze", "x", b.add("i", "i")))
        .input("x", 1, 3, 1)
        .constant("i", new long[] {0, 1}, 2)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.squeeze("x", 1)).input("x", 0, 1, 3).check();
  }
}
