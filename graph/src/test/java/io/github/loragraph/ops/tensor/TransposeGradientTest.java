package io.github.loragraph.ops.tensor;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class TransposeGradientTest {
  @Test
  void permuted() {
    FiniteDifferences.of(b -> b.op("Transpose", n -> n.with("perm", new long[] {2, 0, 1}), "x"))
        .input("x", 2, 3, 4)
        .check();
  }

  @Test
  void reversed() {
    FiniteDifferences.of(b -> b.op("Transpose", "x")).input("x", 2, 3).withRanksKnown().check();
  }

  @Test
  void twice() {
    FiniteDifferences.of(b -> b.transpose(b.transpose("x", 1, 0), 1, 0)).input("x", 2, 3).check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.transpose("x", 1, 0)).input("x", 0, 3).check();
  }
}
