package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class GatherNDGradientTest {
  @Test
  void entries() {
    FiniteDifferences.of(b -> b.op("GatherND", "x", "i"))
        .input("x", 2, 3)
        .constant("i", new long[] {0, 1, 1, 2, 0, 1}, 3, 2)
        .check();
  }

  @Test
  void slices() {
    FiniteDifferences.of(b -> b.op("GatherND", "x", "i"))
        .input("x", 3, 2)
        .constant("i", new long[] {0, -1, 0, 1}, 2, 2, 1)
        .check();
  }

  @Test
  void batches() {
    FiniteDifferences.of(b -> b.op("GatherND", n -> n.with("batch_dims", 1), "x", "i"))
        .input("x", 2, 3, 2)
        .constant("i", new long[] {2, 0}, 2, 1)
        .check();
  }

  @Test
  void batchesOfMany() {
    FiniteDifferences.of(b -> b.op("GatherND", n -> n.with("batch_dims", 1), "x", "i"))
        .input("x", 2, 3, 2)
        .constant("i", new long[] {2, 2, 0, 1}, 2, 2, 1)
        .check();
  }

  @Test
  void deepBatches() {
    FiniteDifferences.of(b -> b.op("GatherND", n -> n.with("batch_dims", 2), "x", "i"))
        .input("x", 2, 2, 3)
        .constant("i", new long[] {2, 0, 1, 1}, 2, 2, 1)
        .check();
  }

  @Test
  void computed() {
    FiniteDifferences.of(b -> b.op("GatherND", "x", b.add("i", "i")))
        .input("x", 3, 2)
        .constant("i", new long[] {1, 1}, 2, 1)
        .check();
  }

  @Test
  void none() {
    FiniteDifferences.of(b -> b.op("GatherND", "x", "i"))
        .input("x", 3, 2)
        .constant("i", new long[] {}, 0, 1)
        .check();
  }

  @Test
  void ofAnEmptyTensor() {
    FiniteDifferences.of(b -> b.op("GatherND", "x", "i"))
        .input("x", 0, 2)
        .constant("i", new long[0], 0, 1)
        .check();
  }

  @Test
  void emptySlices() {
    FiniteDifferences.of(b -> b.op("GatherND", "x", "i"))
        .input("x", 3, 0)
        .constant("i", new long[] {2, 0}, 2, 1)
        .check();
  }
}
