package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.FiniteDifferences;
import org.junit.jupiter.api.Test;

class LayerNormalizationGradientTest {
  @Test
  void lastAxis() {
    FiniteDifferences.of(
            b ->
                b.op(
                    "LayerNormalization",
                    n -> n.with("axis", -1).with("epsilon", 1e-5f),
                    "x",
                    "scale",
                    "bias"))
        .input("x", 2, 3, 4)
        .input("scale", 4)
        .input("bias", 4)
        .check();
  }

  @Test
  void frozenScaleAndBias() {
    FiniteDifferences.of(
            b ->
                b.op(
                    "LayerNormalization",
                    n -> n.with("axis", -1).with("epsilon", 1e-5f),
                    "x",
                    "scale",
                    "bias"))
        .input("x", 2, 3, 4)
        .frozen("scale", 4)
        .frozen("bias", 4)
        .check();
  }

  @Test
  void frozenInput() {
    FiniteDifferences.of(
            b ->
                b.op(
                    "LayerNormalization",
                    n -> n.with("axis", -1).with("epsilon", 1e-5f),
                    "x",
                    "scale",
                    "bias"))
        .frozen("x", 2, 3, 4)
        .input("scale", 4)
        .input("bias", 4)
        .check();
  }

  @Test
  void withoutBias() {
    FiniteDifferences.of(
            b ->
                b.op(
                    "LayerNormalization",
                    n -> n.with("axis", -1).with("epsilon", 1e-5f),
                    "x",
                    "scale"))
        .input("x", 3, 4)
        .input("scale", 4)
        .check();
  }

  @Test
  void twoAxes() {
    FiniteDifferences.of(
            b ->
                b.op(
                    "LayerNormalization",
                    n -> n.with("axis", -2).with("epsilon", 1e-5f),
                    "x",
                    "scale",
                    "bias"))
        .input("x", 2, 3, 4)
        .input("scale", 3, 4)
        .input("bias", 3, 4)
        .check();
  }

  @Test
  void positiveAxis() {
    FiniteDifferences.of(
            b ->
                b.op(
                    "LayerNormalization",
                    n -> n.with("axis", 1).with("epsilon", 1e-5f),
                    "x",
                    "scale",
                    "bias"))
        .input("x", 2, 3, 4)
        .input("scale", 3, 4)
        .input("bias", 3, 4)
        .withRanksKnown()
        .check();
  }

  @Test
  void statisticsReadElsewhere() {
    FiniteDifferences.of(
            b -> {
              var all =
                  b.ops("LayerNormalization", 3, n -> n.with("axis", -1), "x", "scale", "bias");
              return b.mul(all.get(0), "y");
            })
        .input("x", 2, 4)
        .input("scale", 4)
        .input("bias", 4)
        .input("y", 2, 4)
        .check();
  }

  @Test
  void noRows() {
    FiniteDifferences.of(
            b ->
                b.op(
                    "LayerNormalization",
                    n -> n.with("axis", -1).with("epsilon", 1e-5f),
                    "x",
                    "scale",
                    "bias"))
        .input("x", 0, 4)
        .input("scale", 4)
        .input("bias", 4)
        .check();
  }

  @Test
  void sizeOne() {
    FiniteDifferences.of(
            b ->
                b.op(
                    "LayerNormalization",
                    n -> n.with("axis", -1).with("epsilon", 1e-5f),
                    "x",
                    "scale",
                    "bias"))
        .input("x", 3, 1)
        .input("scale", 1)
        .input("bias", 1)
        .check();
  }
}
