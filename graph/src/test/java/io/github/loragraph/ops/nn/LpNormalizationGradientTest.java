package io.github.loragraph.ops.nn;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class LpNormalizationGradientTest {
  @Test
  void lengthAlongTheLastAxis() {
    FiniteDifferences.of(b -> b.op("LpNormalization", "x")).awayFromZero("x", 3, 4).check();
  }

  @Test
  void lengthAlongAnother() {
    FiniteDifferences.of(b -> b.op("LpNormalization", n -> n.with("axis", 1), "x"))
        .awayFromZero("x", 2, 3, 4)
        .check();
  }

  @Test
  void sumOfAbsoluteValues() {
    FiniteDifferences.of(b -> b.op("LpNormalization", n -> n.with("p", 1).with("axis", 0), "x"))
        .awayFromZero("x", 3, 4)
        .check();
  }
}
