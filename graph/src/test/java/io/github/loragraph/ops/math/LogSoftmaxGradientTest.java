package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class LogSoftmaxGradientTest {
  @Test
  void lastAxis() {
    FiniteDifferences.of(b -> b.op("LogSoftmax", n -> n.with("axis", -1), "x"))
        .input("x", 2, 3, 4)
        .check();
  }

  @Test
  void middleAxis() {
    FiniteDifferences.of(b -> b.op("LogSoftmax", n -> n.with("axis", 1), "x"))
        .input("x", 2, 3, 4)
        .check();
  }

  @Test
  void firstAxis() {
    FiniteDifferences.of(b -> b.op("LogSoftmax", n -> n.with("axis", 0), "x"))
        .input("x", 3, 2)
        .check();
  }

  @Test
  void defaultAxis() {
    FiniteDifferences.of(b -> b.op("LogSoftmax", "x")).input("x", 2, 3).check();
  }

  @Test
  void sizeOne() {
    FiniteDifferences.of(b -> b.op("LogSoftmax", n -> n.with("axis", -1), "x"))
        .input("x", 2, 1)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("LogSoftmax", n -> n.with("axis", -1), "x"))
        .input("x", 0, 3)
        .check();
  }
}
