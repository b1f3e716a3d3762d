package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class ConcatGradientTest {
  @Test
  void lastAxis() {
    FiniteDifferences.of(b -> b.concat(-1, "a", "b", "c"))
        .input("a", 2, 3)
        .input("b", 2, 1)
        .input("c", 2, 2)
        .check();
  }

  @Test
  void firstAxis() {
    FiniteDifferences.of(b -> b.concat(0, "a", "b")).input("a", 2, 3).input("b", 1, 3).check();
  }

  @Test
  void frozenPart() {
    FiniteDifferences.of(b -> b.concat(0, "a", "b")).frozen("a", 2, 3).input("b", 1, 3).check();
  }

  @Test
  void twice() {
    FiniteDifferences.of(b -> b.concat(1, "a", "a")).input("a", 2, 3).check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.concat(0, "a", "b")).input("a", 0, 3).input("b", 1, 3).check();
  }
}
