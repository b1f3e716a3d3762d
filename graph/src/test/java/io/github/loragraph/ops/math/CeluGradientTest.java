package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class CeluGradientTest {
  @Test
  void matrix() {
    check(3, 4);
  }

  @Test
  void scalar() {
    check();
  }

  @Test
  void sizeZero() {
    check(0, 2);
  }

  private static void check(long... shape) {
    FiniteDifferences.of(b -> b.op("Celu", n -> n.with("alpha", 0.5f), "x"))
        .awayFromZero("x", shape)
        .inSinglePrecision(x -> Math.max(0, x) + Math.min(0, 0.5 * Math.expm1(x / 0.5)))
        .check();
  }

  @Test
  void alphaByDefault() {
    FiniteDifferences.of(b -> b.op("Celu", "x"))
        .awayFromZero("x", 5)
        .inSinglePrecision(x -> Math.max(0, x) + Math.min(0, Math.expm1(x)))
        .check();
  }

  /** Behind and before other operators, so that the body stands in the middle of the graph. */
  @Test
  void withinAGraph() {
    FiniteDifferences.of(b -> b.op("Tanh", b.op("Celu", b.neg("x"))))
        .awayFromZero("x", 2, 3)
        .inSinglePrecision(x -> Math.tanh(-x > 0 ? -x : Math.expm1(-x)))
        .check();
  }
}
