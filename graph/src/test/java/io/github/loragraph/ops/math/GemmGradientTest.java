package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class GemmGradientTest {
  @Test
  void plain() {
    FiniteDifferences.of(b -> b.op("Gemm", "a", "b")).input("a", 2, 3).input("b", 3, 4).check();
  }

  @Test
  void everyAttribute() {
    FiniteDifferences.of(
            b ->
                b.op(
                    "Gemm",
                    n -> n.with("transA", 1).with("transB", 1).with("alpha", 0.5f).with("beta", 2f),
                    "a",
                    "b",
                    "c"))
        .input("a", 3, 2)
        .input("b", 4, 3)
        .input("c", 2, 4)
        .check();
  }

  @Test
  void transposedA() {
    FiniteDifferences.of(b -> b.op("Gemm", n -> n.with("transA", 1), "a", "b", "c"))
        .input("a", 3, 2)
        .input("b", 3, 4)
        .input("c", 4)
        .check();
  }

  @Test
  void transposedB() {
    FiniteDifferences.of(
            b -> b.op("Gemm", n -> n.with("transB", 1).with("alpha", -1.5f), "a", "b", "c"))
        .input("a", 2, 3)
        .input("b", 4, 3)
        .input("c", 2, 1)
        .check();
  }

  /** As an adapter's A is: on a CPU its gradient is that of its transpose. */
  @Test
  void bOfFewColumns() {
    FiniteDifferences.of(b -> b.op("Gemm", n -> n.with("alpha", 0.5f), "a", "b"))
        .input("a", 3, 8)
        .input("b", 8, 2)
        .check();
  }

  @Test
  void bOfFewColumnsAndTransposedA() {
    FiniteDifferences.of(b -> b.op("Gemm", n -> n.with("transA", 1), "a", "b"))
        .input("a", 9, 3)
        .input("b", 9, 1)
        .check();
  }

  @Test
  void scalarC() {
    FiniteDifferences.of(b -> b.op("Gemm", "a", "b", "c"))
        .input("a", 2, 3)
        .input("b", 3, 4)
        .input("c")
        .check();
  }

  @Test
  void rowOfOne() {
    FiniteDifferences.of(b -> b.op("Gemm", "a", "b", "c"))
        .input("a", 1, 3)
        .input("b", 3, 4)
        .input("c", 1, 4)
        .check();
  }

  @Test
  void frozenWeight() {
    FiniteDifferences.of(b -> b.op("Gemm", "a", "b", "c"))
        .input("a", 2, 3)
        .frozen("b", 3, 4)
        .frozen("c", 4)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Gemm", "a", "b", "c"))
        .input("a", 0, 3)
        .input("b", 3, 4)
        .input("c", 4)
        .check();
  }
}
