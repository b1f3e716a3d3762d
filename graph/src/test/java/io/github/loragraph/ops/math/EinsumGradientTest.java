package io.github.loragraph.ops.math;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class EinsumGradientTest {
  @Test
  void product() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "ij,jk->ik"), "x", "y"))
        .input("x", 2, 3)
        .input("y", 3, 4)
        .check();
  }

  @Test
  void scoresOfHeads() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "bihd,bjhd->bhij"), "x", "y"))
        .input("x", 2, 3, 2, 4)
        .input("y", 2, 2, 2, 4)
        .check();
  }

  @Test
  void implied() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "ij, jk"), "x", "y"))
        .input("x", 2, 3)
        .input("y", 3, 4)
        .check();
  }

  @Test
  void impliedOrder() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "ba"), "x"))
        .input("x", 2, 3)
        .check();
  }

  @Test
  void capitals() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "aB,Bc->ac"), "x", "y"))
        .input("x", 2, 3)
        .input("y", 3, 4)
        .check();
  }

  @Test
  void transposed() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "ijk->kij"), "x"))
        .input("x", 2, 3, 4)
        .check();
  }

  @Test
  void summedOut() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "ijk->kj"), "x"))
        .input("x", 2, 3, 4)
        .check();
  }

  @Test
  void summedToAScalar() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "ij->"), "x"))
        .input("x", 2, 3)
        .check();
  }

  @Test
  void summedOutOfOne() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "ijl,jk->ki"), "x", "y"))
        .input("x", 2, 3, 2)
        .input("y", 3, 4)
        .check();
  }

  @Test
  void summedOutOfBoth() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "il,km->ik"), "x", "y"))
        .input("x", 2, 3)
        .input("y", 3, 4)
        .check();
  }

  @Test
  void outer() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "i,j->ij"), "x", "y"))
        .input("x", 2)
        .input("y", 3)
        .check();
  }

  @Test
  void inner() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "i,i->"), "x", "y"))
        .input("x", 3)
        .input("y", 3)
        .check();
  }

  @Test
  void elementwise() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "ij,ij->ij"), "x", "y"))
        .input("x", 2, 3)
        .input("y", 2, 3)
        .check();
  }

  @Test
  void scalarOperand() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", ",ij->ji"), "x", "y"))
        .input("x")
        .input("y", 2, 3)
        .check();
  }

  @Test
  void three() {
    FiniteDifferences.of(
            b -> b.op("Einsum", n -> n.with("equation", "ij,jk,kl->il"), "x", "y", "z"))
        .input("x", 2, 3)
        .input("y", 3, 2)
        .input("z", 2, 4)
        .check();
  }

  @Test
  void frozenWeight() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "bsi,io->bso"), "x", "y"))
        .input("x", 2, 3, 4)
        .frozen("y", 4, 2)
        .check();
  }

  @Test
  void diagonalOfAFrozen() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "ij,jj->i"), "x", "y"))
        .input("x", 2, 3)
        .frozen("y", 3, 3)
        .check();
  }

  @Test
  void dots() {
    FiniteDifferences.of(
            b -> b.op("Einsum", n -> n.with("equation", "...ij,...jk->...ik"), "x", "y"))
        .input("x", 2, 2, 3)
        .input("y", 2, 3, 4)
        .withRanksKnown()
        .check();
  }

  @Test
  void dotsAtOtherPlaces() {
    FiniteDifferences.of(
            b -> b.op("Einsum", n -> n.with("equation", "i...j,...jk->...ik"), "x", "y"))
        .input("x", 3, 2, 2)
        .input("y", 2, 2, 4)
        .withRanksKnown()
        .check();
  }

  @Test
  void dotsImplied() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "...ij,...jk"), "x", "y"))
        .input("x", 2, 2, 3)
        .input("y", 2, 3, 4)
        .withRanksKnown()
        .check();
  }

  @Test
  void broadcastDots() {
    FiniteDifferences.of(
            b -> b.op("Einsum", n -> n.with("equation", "...ij,...jk->...ik"), "x", "y"))
        .input("x", 1, 2, 3)
        .input("y", 2, 3, 4)
        .withRanksKnown()
        .check();
  }

  @Test
  void broadcastLetter() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "bij,bjk->bik"), "x", "y"))
        .input("x", 2, 2, 3)
        .input("y", 1, 3, 4)
        .check();
  }

  @Test
  void broadcastSum() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "ij,jk->ik"), "x", "y"))
        .input("x", 2, 1)
        .input("y", 3, 4)
        .check();
  }

  @Test
  void broadcastElementwise() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "ij,ij->ij"), "x", "y"))
        .input("x", 2, 1)
        .input("y", 2, 3)
        .check();
  }

  @Test
  void broadcastAndSummedOut() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "ijl,ij->i"), "x", "y"))
        .input("x", 2, 1, 3)
        .input("y", 2, 3)
        .check();
  }

  @Test
  void sizeOne() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "ij,jk->ik"), "x", "y"))
        .input("x", 1, 1)
        .input("y", 1, 1)
        .check();
  }

  @Test
  void sizeZero() {
    FiniteDifferences.of(b -> b.op("Einsum", n -> n.with("equation", "ij,jk->ik"), "x", "y"))
        .input("x", 0, 3)
        .input("y", 3, 4)
        .check();
  }
}
