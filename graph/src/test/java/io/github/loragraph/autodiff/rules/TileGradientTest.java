package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class TileGradientTest {
  @Test
  void bothAxes() {
    FiniteDifferences.of(b -> b.op("Tile", "x", b.longs(2, 3)))
        .input("x", 2, 3)
        .withRanksKnown()
        .check();
  }

  @Test
  void once() {
    FiniteDifferences.of(b -> b.op("Tile", "x", b.longs(1, 1)))
        .input("x", 2, 3)
        .withRanksKnown()
        .check();
  }
}
