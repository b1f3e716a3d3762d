package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.Tensor;
import org.junit.jupiter.api.Test;

class SliceGradientTest {
  @Test
  void firstOfAnAxis() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(0), b.longs(1), b.longs(1)))
        .input("x", 2, 3, 4)
        .check();
  }

  @Test
  void twoAxes() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(1, 0), b.longs(3, 2), b.longs(0, 2)))
        .input("x", 4, 3, 4)
        .check();
  }

  @Test
  void negative() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(-2), b.longs(-1), b.longs(-1)))
        .input("x", 2, 4)
        .check();
  }

  @Test
  void negativeAndNot() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(-2, 1), b.longs(-1, 3), b.longs(-1, 0)))
        .input("x", 4, 4)
        .check();
  }

  @Test
  void farEnd() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(1), b.longs(Long.MAX_VALUE), b.longs(0)))
        .input("x", 3, 2)
        .check();
  }

  @Test
  void farStart() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(-100), b.longs(2), b.longs(0)))
        .input("x", 3, 2)
        .check();
  }

  @Test
  void startBehindTheEnd() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(100), b.longs(200), b.longs(0)))
        .input("x", 3, 2)
        .check();
  }

  @Test
  void withoutAxes() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(1), b.longs(2))).input("x", 3, 2).check();
  }

  @Test
  void nothing() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(2), b.longs(1), b.longs(0)))
        .input("x", 3, 2)
        .check();
  }

  @Test
  void unitSteps() {
    FiniteDifferences.of(
            b -> b.op("Slice", "x", b.longs(1, 0), b.longs(3, 2), b.longs(1, 0), b.longs(1, 1)))
        .input("x", 3, 4)
        .check();
  }

  @Test
  void steps() {
    FiniteDifferences.of(
            b -> b.op("Slice", "x", b.longs(0, 1), b.longs(5, 4), b.longs(0, 1), b.longs(2, 3)))
        .input("x", 5, 4)
        .check();
  }

  @Test
  void backwards() {
    FiniteDifferences.of(
            b -> b.op("Slice", "x", b.longs(-1), b.longs(Long.MIN_VALUE), b.longs(1), b.longs(-1)))
        .input("x", 2, 4)
        .check();
  }

  @Test
  void backwardsInSteps() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(5), b.longs(-5), b.longs(-1), b.longs(-2)))
        .input("x", 2, 5)
        .check();
  }

  @Test
  void computedPlaces() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.add("i", "i"), b.add("j", "j"), b.longs(0, 1)))
        .input("x", 5, 4)
        .constant("i", new long[] {1, -1}, 2)
        .constant("j", new long[] {2, 50}, 2)
        .check();
  }

  @Test
  void computedPlacesWithoutAxes() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.add("i", "i"), b.add("j", "j")))
        .input("x", 5, 4)
        .constant("i", new long[] {-50}, 1)
        .constant("j", new long[] {-1}, 1)
        .check();
  }

  @Test
  void computedAxesAndSteps() {
    FiniteDifferences.of(
            b -> b.op("Slice", "x", b.longs(1), b.longs(4), b.add("a", "a"), b.add("s", "s")))
        .input("x", 2, 3, 5)
        .constant("a", new long[] {1}, 1)
        .constant("s", new long[] {1}, 1)
        .check();
  }

  @Test
  void computedAxes() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(1), b.longs(4), b.add("a", "a")))
        .input("x", 2, 3, 5)
        .constant("a", new long[] {-1}, 1)
        .check();
  }

  @Test
  void smallIntegers() {
    FiniteDifferences.of(b -> b.op("Slice", "x", "i", "j", "a"))
        .input("x", 2, 4)
        .constant("i", Tensor.ofInts("i", new int[] {-3}, 1))
        .constant("j", Tensor.ofInts("j", new int[] {3}, 1))
        .constant("a", Tensor.ofInts("a", new int[] {1}, 1))
        .check();
  }

  @Test
  void computedSmallIntegers() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.add("i", "i"), "j", "a"))
        .input("x", 2, 4)
        .constant("i", Tensor.ofInts("i", new int[] {-1}, 1))
        .constant("j", Tensor.ofInts("j", new int[] {4}, 1))
        .constant("a", Tensor.ofInts("a", new int[] {1}, 1))
        .check();
  }

  @Test
  void sizeOne() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(0), b.longs(1), b.longs(1)))
        .input("x", 2, 1)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(0), b.longs(1), b.longs(1)))
        .input("x", 0, 3)
        .check();
  }

  @Test
  void sizeZeroInSteps() {
    FiniteDifferences.of(b -> b.op("Slice", "x", b.longs(0), b.longs(3), b.longs(1), b.longs(2)))
        .input("x", 0, 3)
        .check();
  }
}
