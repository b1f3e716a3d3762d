package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
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
  void vectors() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 3)
        .input("b", 3)
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
  void sizeOne() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 1, 1, 1)
        .input("b", 1, 1)
        .withRanksKnown()
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.matMul("a", "b"))
        .input("a", 0, 3, 4)
        .input("b", 4, 2)
        .withRanksKnown()
        .check();
  }
}
