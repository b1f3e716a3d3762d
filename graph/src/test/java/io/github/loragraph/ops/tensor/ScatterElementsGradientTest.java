package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class ScatterElementsGradientTest {
  @Test
  void put() {
    FiniteDifferences.of(b -> b.op("ScatterElements", n -> n.with("axis", 1), "x", "i", "u"))
        .input("x", 2, 4)
        .input("u", 2, 2)
        .constant("i", new long[] {0, 3, -2, 1}, 2, 2)
        .check();
  }

  @Test
  void added() {
    FiniteDifferences.of(
            b ->
                b.op(
                    "ScatterElements",
                    n -> n.with("axis", 1).with("reduction", "add"),
                    "x",
                    "i",
                    "u"))
        .input("x", 2, 4)
        .input("u", 2, 3)
        .constant("i", new long[] {0, 0, -1, 3, 3, 3}, 2, 3)
        .check();
  }

  @Test
  void onlyTheData() {
    FiniteDifferences.of(b -> b.op("ScatterElements", n -> n.with("axis", 1), "x", "i", "u"))
        .input("x", 2, 4)
        .frozen("u", 2, 2)
        .constant("i", new long[] {0, 3, -2, 1}, 2, 2)
        .check();
  }

  @Test
  void onlyTheUpdates() {
    FiniteDifferences.of(b -> b.op("ScatterElements", n -> n.with("axis", 1), "x", "i", "u"))
        .frozen("x", 2, 4)
        .input("u", 2, 2)
        .constant("i", new long[] {0, 3, -2, 1}, 2, 2)
        .check();
  }

  @Test
  void none() {
    FiniteDifferences.of(b -> b.op("ScatterElements", n -> n.with("axis", 1), "x", "i", "u"))
        .input("x", 2, 4)
        .input("u", 2, 0)
        .constant("i", new long[] {}, 2, 0)
        .check();
  }
}
