package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class MulGradientTest {
  @Test
  void sameShapes() {
    FiniteDifferences.of(b -> b.op("Mul", "a", "b")).input("a", 2, 3).input("b", 2, 3).check();
  }

  @Test
  void broadcastOnTheRight() {
    FiniteDifferences.of(b -> b.op("Mul", "a", "b")).input("a", 2, 3, 4).input("b", 4).check();
  }

  @Test
  void broadcastOnTheLeft() {
    FiniteDifferences.of(b -> b.op("Mul", "a", "b")).input("a", 3).input("b", 2, 3).check();
  }

  @Test
  void broadcastOnBothSides() {
    FiniteDifferences.of(b -> b.op("Mul", "a", "b")).input("a", 2, 1, 4).input("b", 3, 1).check();
  }

  @Test
  void sizeOne() {
    FiniteDifferences.of(b -> b.op("Mul", "a", "b")).input("a", 1, 3).input("b", 1, 1).check();
  }

  @Test
  void scalar() {
    FiniteDifferences.of(b -> b.op("Mul", "a", "b")).input("a").input("b", 2, 2).check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Mul", "a", "b")).input("a", 0, 3).input("b", 1, 3).check();
  }

  @Test
  void oneFrozenOperand() {
    FiniteDifferences.of(b -> b.op("Mul", "a", "b")).input("a", 2, 3).frozen("b", 3).check();
  }

  @Test
  void theSameOperandTwice() {
    FiniteDifferences.of(b -> b.op("Mul", "a", "a")).input("a", 2, 3).check();
  }
}
