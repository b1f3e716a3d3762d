package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class ScatterNDGradientTest {
  @Test
  void put() {
    FiniteDifferences.of(b -> b.op("ScatterND", n -> n, "x", "i", "u"))
        .input("x", 4, 2)
        .input("u", 2, 2)
        .constant("i", new long[] {3, -4}, 2, 1)
        .check();
  }

  @Test
  void entries() {
    FiniteDifferences.of(b -> b.op("ScatterND", n -> n, "x", "i", "u"))
        .input("x", 3, 2)
        .input("u", 2)
        .constant("i", new long[] {0, 1, 2, 0}, 2, 2)
        .check();
  }

  @Test
  void added() {
    FiniteDifferences.of(b -> b.op("ScatterND", n -> n.with("reduction", "add"), "x", "i", "u"))
        .input("x", 3, 2)
        .input("u", 3, 2)
        .constant("i", new long[] {1, 2, 1}, 3, 1)
        .check();
  }

  @Test
  void onlyTheData() {
    FiniteDifferences.of(b -> b.op("ScatterND", n -> n, "x", "i", "u"))
        .input("x", 4, 2)
        .frozen("u", 2, 2)
        .constant("i", new long[] {3, 0}, 2, 1)
        .check();
  }

  @Test
  void onlyTheUpdates() {
    FiniteDifferences.of(b -> b.op("ScatterND", n -> n, "x", "i", "u"))
        .frozen("x", 4, 2)
        .input("u", 2, 2)
        .constant("i", new long[] {3, 0}, 2, 1)
        .check();
  }

  @Test
  void noUpdates() {
    FiniteDifferences.of(b -> b.op("ScatterND", n -> n, "x", "i", "u"))
        .input("x", 4, 2)
        .input("u", 0, 2)
        .constant("i", new long[0], 0, 1)
        .check();
  }

  @Test
  void emptySlices() {
    FiniteDifferences.of(b -> b.op("ScatterND", n -> n, "x", "i", "u"))
        .input("x", 4, 0)
        .input("u", 2, 0)
        .constant("i", new long[] {3, 0}, 2, 1)
        .check();
  }
}
