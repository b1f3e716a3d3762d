package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class TileGradientTest {
  @Test
  void oneAxis() {
    FiniteDifferences.of(b -> b.op("Tile", "x", b.longs(1, 3, 1))).input("x", 2, 3, 4).check();
  }

  @Test
  void everyAxis() {
    FiniteDifferences.of(b -> b.op("Tile", "x", b.longs(2, 3))).input("x", 2, 3).check();
  }

  @Test
  void noAxis() {
    FiniteDifferences.of(b -> b.op("Tile", "x", b.longs(1, 1))).input("x", 2, 3).check();
  }

  @Test
  void computed() {
    FiniteDifferences.of(b -> b.op("Tile", "x", b.add("r", "r")))
        .input("x", 2, 3)
        .constant("r", new long[] {1, 2}, 2)
        .check();
  }

  @Test
  void sizeOne() {
    FiniteDifferences.of(b -> b.op("Tile", "x", b.longs(4))).input("x", 1).check();
  }

  @Test
  void zeroTimes() {
    FiniteDifferences.of(b -> b.op("Tile", "x", b.longs(2, 0))).input("x", 2, 3).check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Tile", "x", b.longs(2, 2))).input("x", 0, 3).check();
  }
}
