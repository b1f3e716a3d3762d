package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class PadGradientTest {
  @Test
  void around() {
    FiniteDifferences.of(b -> b.op("Pad", "x", b.longs(1, 0, 2, 3))).input("x", 2, 3).check();
  }

  @Test
  void value() {
    FiniteDifferences.of(b -> b.op("Pad", "x", b.longs(1, 0, 2, 3), "v"))
        .input("x", 2, 3)
        .input("v")
        .check();
  }

  @Test
  void onlyTheValue() {
    FiniteDifferences.of(b -> b.op("Pad", "x", b.longs(1, 0, 2, 3), "v"))
        .frozen("x", 2, 3)
        .input("v")
        .check();
  }

  @Test
  void valueInAVector() {
    FiniteDifferences.of(b -> b.op("Pad", "x", b.longs(1, 2), "v"))
        .input("x", 2)
        .input("v", 1)
        .check();
  }

  @Test
  void axes() {
    FiniteDifferences.of(b -> b.op("Pad", "x", b.longs(1, 2), "", b.longs(-2)))
        .input("x", 2, 3, 2)
        .check();
  }

  @Test
  void computedAxes() {
    FiniteDifferences.of(b -> b.op("Pad", "x", b.longs(1, 2), "", b.add("a", "a")))
        .input("x", 2, 3, 2)
        .constant("a", new long[] {-1}, 1)
        .check();
  }

  @Test
  void cut() {
    FiniteDifferences.of(b -> b.op("Pad", "x", b.longs(-1, 2, 0, -1), "v"))
        .input("x", 3, 3)
        .input("v")
        .check();
  }

  @Test
  void computed() {
    FiniteDifferences.of(b -> b.op("Pad", "x", b.add("p", "p")))
        .input("x", 2, 3)
        .constant("p", new long[] {1, 0, 0, 1}, 4)
        .check();
  }

  @Test
  void reflected() {
    FiniteDifferences.of(b -> b.op("Pad", n -> n.with("mode", "reflect"), "x", b.longs(1, 2, 1, 0)))
        .input("x", 3, 3)
        .check();
  }

  @Test
  void edge() {
    FiniteDifferences.of(b -> b.op("Pad", n -> n.with("mode", "edge"), "x", b.longs(2, 0, 1, 3)))
        .input("x", 2, 3)
        .check();
  }

  @Test
  void edgeOfAnAxis() {
    FiniteDifferences.of(
            b -> b.op("Pad", n -> n.with("mode", "edge"), "x", b.longs(2, 1), "", b.longs(1)))
        .input("x", 2, 3)
        .check();
  }

  @Test
  void wrapped() {
    FiniteDifferences.of(b -> b.op("Pad", n -> n.with("mode", "wrap"), "x", b.longs(2, 1)))
        .input("x", 3)
        .check();
  }

  @Test
  void nothing() {
    FiniteDifferences.of(b -> b.op("Pad", "x", b.longs(0, 0))).input("x", 3).check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Pad", "x", b.longs(1, 0, 0, 1))).input("x", 0, 3).check();
  }
}
