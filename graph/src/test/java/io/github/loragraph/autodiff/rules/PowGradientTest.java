package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import org.junit.jupiter.api.Test;

class PowGradientTest {
  @Test
  void square() {
    FiniteDifferences.of(b -> b.pow("x", "c"))
        .input("x", 2, 3)
        .constant("c", Tensor.scalar("c", ElementType.DOUBLE, 2))
        .check();
  }

  @Test
  void cube() {
    FiniteDifferences.of(b -> b.pow("x", "c"))
        .input("x", 2, 3)
        .constant("c", Tensor.scalar("c", ElementType.DOUBLE, 3))
        .check();
  }

  @Test
  void root() {
    FiniteDifferences.of(b -> b.pow("x", "c"))
        .positive("x", 2, 3)
        .constant("c", Tensor.scalar("c", ElementType.DOUBLE, 0.5))
        .check();
  }
}
