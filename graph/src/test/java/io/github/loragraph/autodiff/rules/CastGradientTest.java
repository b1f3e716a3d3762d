package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.ElementType;
import org.junit.jupiter.api.Test;

class CastGradientTest {
  @Test
  void thereAndBack() {
    FiniteDifferences.of(b -> b.cast(b.cast("x", ElementType.DOUBLE), ElementType.DOUBLE))
        .input("x", 2, 3)
        .check();
  }
}
