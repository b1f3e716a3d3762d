package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class SplitGradientTest {
  @Test
  void sizes() {
    FiniteDifferences.ofAll(b -> b.ops("Split", 3, n -> n.with("axis", 1), "x", b.longs(1, 3, 2)))
        .input("x", 2, 6)
        .check();
  }

  @Test
  void equalParts() {
    FiniteDifferences.ofAll(
            b -> b.ops("Split", 3, n -> n.with("axis", -1).with("num_outputs", 3), "x"))
        .input("x", 2, 6)
        .check();
  }

  @Test
  void smallerLastPart() {
    FiniteDifferences.ofAll(b -> b.ops("Split", 3, n -> n.with("num_outputs", 3), "x"))
        .input("x", 5, 2)
        .check();
  }

  @Test
  void onlyTheFirst() {
    FiniteDifferences.of(b -> b.ops("Split", 3, n -> n, "x", b.longs(1, 3, 2)).get(0))
        .input("x", 6, 2)
        .check();
  }

  @Test
  void onlyTheMiddle() {
    FiniteDifferences.of(
            b -> b.ops("Split", 3, n -> n.with("axis", -1), "x", b.longs(1, 3, 2)).get(1))
        .input("x", 2, 6)
        .check();
  }

  @Test
  void onlyTheLast() {
    FiniteDifferences.of(
            b -> b.ops("Split", 3, n -> n.with("axis", 1), "x", b.longs(1, 3, 2)).get(2))
        .input("x", 2, 6)
        .check();
  }

  @Test
  void withoutTheMiddle() {
    FiniteDifferences.ofAll(
            b ->
                b.ops("Split", 3, n -> n.with("axis", 1), "x", b.longs(1, 3, 2)).stream()
                    .filter(part -> !part.endsWith("1"))
                    .toList())
        .input("x", 2, 6)
        .check();
  }

  @Test
  void computedSizes() {
    FiniteDifferences.ofAll(b -> b.ops("Split", 2, n -> n, "x", b.add("s", "s")))
        .input("x", 6, 2)
        .constant("s", new long[] {1, 2}, 2)
        .check();
  }

  @Test
  void onePart() {
    FiniteDifferences.ofAll(b -> b.ops("Split", 1, n -> n.with("num_outputs", 1), "x"))
        .input("x", 3)
        .check();
  }

  @Test
  void emptyPart() {
    FiniteDifferences.ofAll(b -> b.ops("Split", 3, n -> n, "x", b.longs(0, 2, 1)))
        .input("x", 3, 2)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.ofAll(b -> b.ops("Split", 2, n -> n.with("axis", 1), "x", b.longs(1, 2)))
        .input("x", 0, 3)
        .check();
  }
}
