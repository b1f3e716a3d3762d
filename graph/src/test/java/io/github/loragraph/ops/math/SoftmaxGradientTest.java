package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import java.util.List;
import org.junit.jupiter.api.Test;

class SoftmaxGradientTest {
  @Test
  void lastAxis() {
    FiniteDifferences.of(b -> b.op("Softmax", n -> n.with("axis", -1), "x"))
        .input("x", 2, 3, 4)
        .check();
  }

  @Test
  void middleAxis() {
    FiniteDifferences.of(b -> b.op("Softmax", n -> n.with("axis", 1), "x"))
        .input("x", 2, 3, 4)
        .check();
  }

  @Test
  void firstAxis() {
    FiniteDifferences.of(b -> b.op("Softmax", n -> n.with("axis", 0), "x"))
        .input("x", 3, 2)
        .check();
  }

  @Test
  void defaultAxis() {
    FiniteDifferences.of(b -> b.op("Softmax", "x")).input("x", 2, 3).check();
  }

  @Test
  void sizeOne() {
    FiniteDifferences.of(b -> b.op("Softmax", n -> n.with("axis", -1), "x"))
        .input("x", 2, 1)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Softmax", n -> n.with("axis", -1), "x"))
        .input("x", 0, 3)
        .check();
  }

  /** As in an attention, where the sum is taken over what comes out of it. */
  @Test
  void intoAProduct() {
    FiniteDifferences.of(b -> b.matMul(b.op("Softmax", "x"), "v"))
        .input("x", 2, 3, 4, 5)
        .input("v", 2, 3, 5, 2)
        .withRanksKnown()
        .check();
  }

  @Test
  void intoAProductOverMoreBatches() {
    FiniteDifferences.of(b -> b.matMul(b.op("Softmax", "x"), "v"))
        .input("x", 1, 4, 5)
        .input("v", 3, 5, 2)
        .withRanksKnown()
        .check();
  }

  @Test
  void intoAProductAndElsewhere() {
    FiniteDifferences.ofAll(
            b -> {
              String y = b.op("Softmax", "x");
              return List.of(b.matMul(y, "v"), b.exp(y));
            })
        .input("x", 3, 4, 5)
        .input("v", 3, 5, 2)
        .withRanksKnown()
        .check();
  }

  @Test
  void overAnotherAxisIntoAProduct() {
    FiniteDifferences.of(b -> b.matMul(b.op("Softmax", n -> n.with("axis", 1), "x"), "v"))
        .input("x", 3, 4, 5)
        .input("v", 3, 5, 2)
        .withRanksKnown()
        .check();
  }

  @Test
  void secondFactorOfAProduct() {
    FiniteDifferences.of(b -> b.matMul("v", b.op("Softmax", "x")))
        .input("x", 3, 4, 5)
        .input("v", 3, 2, 4)
        .withRanksKnown()
        .check();
  }

  @Test
  void squared() {
    FiniteDifferences.of(
            b -> {
              String y = b.op("Softmax", "x");
              return b.matMul(y, y);
            })
        .input("x", 4, 4)
        .withRanksKnown()
        .check();
  }
}
