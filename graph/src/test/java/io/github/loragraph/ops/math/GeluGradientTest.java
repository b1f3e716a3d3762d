package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.ErrorFunction;
import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class GeluGradientTest {
  @Test
  void exact() {
    FiniteDifferences.of(b -> b.op("Gelu", "x"))
        .input("x", 3, 4)
        .inSinglePrecision(ErrorFunction::gelu)
        .check();
  }

  @Test
  void exactScalar() {
    FiniteDifferences.of(b -> b.op("Gelu", "x"))
        .input("x")
        .inSinglePrecision(ErrorFunction::gelu)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Gelu", "x"))
        .input("x", 0, 2)
        .inSinglePrecision(ErrorFunction::gelu)
        .check();
  }

  @Test
  void tanh() {
    FiniteDifferences.of(b -> b.op("Gelu", n -> n.with("approximate", "tanh"), "x"))
        .input("x", 3, 4)
        .inSinglePrecision(ErrorFunction::tanhGelu)
        .check();
  }
}
