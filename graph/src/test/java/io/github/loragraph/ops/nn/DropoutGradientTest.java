package io.github.loragraph.ops.nn;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class DropoutGradientTest {
  @Test
  void off() {
    FiniteDifferences.of(b -> b.op("Dropout", "x")).input("x", 2, 3).check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Dropout", "x")).input("x", 0, 3).check();
  }
}
