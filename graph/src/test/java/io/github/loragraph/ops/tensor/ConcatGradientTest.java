package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class ConcatGradientTest {
  @Test
  void two() {
    FiniteDifferences.of(b -> b.concat(1, "x", "y")).input("x", 2, 3).input("y", 2, 1).check();
  }

  @Test
  void three() {
    FiniteDifferences.of(b -> b.concat(-2, "x", "y", "z"))
        .input("x", 1, 2, 2)
        .input("y", 1, 1, 2)
        .input("z", 1, 3, 2)
        .check();
  }

  @Test
  void lastFrozen() {
    FiniteDifferences.of(b -> b.concat(0, "x", "y", "z"))
        .input("x", 2)
        .frozen("y", 3)
        .input("z", 1)
        .check();
  }

  @Test
  void onlyTheFirst() {
    FiniteDifferences.of(b -> b.concat(0, "x", "y")).input("x", 2).frozen("y", 3).check();
  }

  @Test
  void onlyTheMiddle() {
    FiniteDifferences.of(b -> b.concat(-1, "x", "y", "z"))
        .frozen("x", 2, 2)
        .input("y", 2, 3)
        .frozen("z", 2, 1)
        .check();
  }

  @Test
  void onlyTheLast() {
    FiniteDifferences.of(b -> b.concat(1, "x", "y")).frozen("x", 2, 2).input("y", 2, 3).check();
  }

  @Test
  void twice() {
    FiniteDifferences.of(b -> b.concat(0, "x", "y", "x")).input("x", 2).input("y", 3).check();
  }

  @Test
  void single() {
    FiniteDifferences.of(b -> b.concat(0, "x")).input("x", 2, 3).check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.concat(1, "x", "y", "z"))
        .input("x", 2, 0)
        .input("y", 2, 3)
        .input("z", 2, 0)
        .check();
  }

  @Test
  void onlyAnEmptyOne() {
    FiniteDifferences.of(b -> b.concat(0, "x", "y")).input("x", 0, 2).frozen("y", 3, 2).check();
  }
}
