package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.Tensor;
import org.junit.jupiter.api.Test;

class MatMulGradientTest {
  @Test
  void matrices() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 3)
        .input("b", 3, 4)
        .withRanksKnown()
        .check();
  }

  @Test
  void batchTimesMatrix() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 3, 4)
        .input("b", 4, 5)
        .withRanksKnown()
        .check();
  }

  @Test
  void deepBatchTimesMatrix() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 2, 3, 4)
        .input("b", 4, 2)
        .withRanksKnown()
        .check();
  }

  @Test
  void batches() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 3, 4)
        .input("b", 2, 4, 5)
        .withRanksKnown()
        .check();
  }

  @Test
  void heads() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 2, 3, 4)
        .input("b", 2, 2, 4, 3)
        .withRanksKnown()
        .check();
  }

  @Test
  void broadcastBatchOfA() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 1, 3, 4)
        .input("b", 2, 4, 5)
        .withRanksKnown()
        .check();
  }

  @Test
  void broadcastBatchOfB() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 2, 3, 4)
        .input("b", 2, 1, 4, 5)
        .withRanksKnown()
        .check();
  }

  @Test
  void broadcastBatchesOfBoth() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 1, 3, 4)
        .input("b", 1, 3, 4, 2)
        .withRanksKnown()
        .check();
  }

  @Test
  void missingBatchOfA() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 3, 4)
        .input("b", 2, 2, 4, 2)
        .withRanksKnown()
        .check();
  }

  @Test
  void missingBatchOfB() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 3, 2, 3, 4)
        .input("b", 2, 4, 2)
        .withRanksKnown()
        .check();
  }

  @Test
  void matrixTimesBatch() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 3, 4)
        .input("b", 2, 4, 5)
        .withRanksKnown()
        .check();
  }

  @Test
  void vectorTimesMatrix() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 3)
        .input("b", 3, 4)
        .withRanksKnown()
        .check();
  }

  @Test
  void matrixTimesVector() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 3)
        .input("b", 3)
        .withRanksKnown()
        .check();
  }

  @Test
  void batchTimesVector() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 4, 3)
        .input("b", 3)
        .withRanksKnown()
        .check();
  }

  @Test
  void vectorTimesBatch() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 3)
        .input("b", 2, 3, 4)
        .withRanksKnown()
        .check();
  }

  @Test
  void deepBatchTimesVector() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 2, 2, 3)
        .input("b", 3)
        .withRanksKnown()
        .check();
  }

  @Test
  void vectorTimesDeepBatch() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 3)
        .input("b", 2, 2, 3, 2)
        .withRanksKnown()
        .check();
  }

  @Test
  void vectors() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 3)
        .input("b", 3)
        .withRanksKnown()
        .check();
  }

  @Test
  void sizeOne() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 1, 1, 1)
        .input("b", 1, 1)
        .withRanksKnown()
        .check();
  }

  @Test
  void sizeOneBatches() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 1, 2, 3)
        .input("b", 1, 3, 2)
        .withRanksKnown()
        .check();
  }

  @Test
  void emptyBatch() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 0, 3, 4)
        .input("b", 4, 2)
        .withRanksKnown()
        .check();
  }

  @Test
  void emptyBatches() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 0, 3, 4)
        .input("b", 0, 4, 2)
        .withRanksKnown()
        .check();
  }

  @Test
  void noRows() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 0, 4)
        .input("b", 4, 2)
        .withRanksKnown()
        .check();
  }

  @Test
  void noColumns() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 3, 4)
        .input("b", 4, 0)
        .withRanksKnown()
        .check();
  }

  @Test
  void nothingToSum() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 3, 0)
        .input("b", 0, 4)
        .withRanksKnown()
        .check();
  }

  @Test
  void nothingToSumInBatches() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 3, 0)
        .input("b", 2, 0, 4)
        .withRanksKnown()
        .check();
  }

  @Test
  void frozenWeight() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 3, 4)
        .frozen("b", 4, 5)
        .withRanksKnown()
        .check();
  }

  @Test
  void frozenInput() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .frozen("a", 2, 3, 4)
        .input("b", 4, 5)
        .withRanksKnown()
        .check();
  }

  @Test
  void constantWeight() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 2, 3, 4)
        .constant("b", Tensor.ofDoubles("b", new double[] {1, 2, 3, 4, 5, 6, 7, 8}, 4, 2))
        .check();
  }

  @Test
  void transposedOperands() {
    FiniteDifferences.of(b -> b.matMul(b.transpose("a", 0, 2, 1), b.transpose("b", 0, 2, 1)))
        .input("a", 2, 4, 3)
        .input("b", 2, 5, 4)
        .withRanksKnown()
        .check();
  }

  @Test
  void ofItself() {
    FiniteDifferences.of(b -> b.matMul("a", b.transpose("a", 0, 2, 1)))
        .input("a", 2, 3, 4)
        .withRanksKnown()
        .check();
  }
}
