package io.github.loragraph.ops.nn;

import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

  /** Each output alone, and all ways of reading several. */
  @ParameterizedTest
  @CsvSource({"0", "1", "2", "01", "02", "12", "012"})
  void eachOutput(String outputs) {
    FiniteDifferences.ofAll(
            b -> read(outputs, b.ops("LayerNormalization", 3, n -> n, "x", "scale", "bias")))
        .input("x", 2, 3, 4)
        .input("scale", 4)
        .input("bias", 4)
        .unreached(outputs.contains("0") ? new String[0] : new String[] {"scale", "bias"})
        .inSinglePrecisionAs(b -> read(outputs, spelledOut(b, -1)))
        .check();
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "012"})
  void eachOutputOverTwoAxes(String outputs) {
    FiniteDifferences.ofAll(
            b ->
                read(
                    outputs,
                    b.ops("LayerNormalization", 3, n -> n.with("axis", 1), "x", "scale", "bias")))
        .input("x", 2, 3, 4)
        .input("scale", 3, 4)
        .input("bias", 3, 4)
        .withRanksKnown()
        .unreached(outputs.contains("0") ? new String[0] : new String[] {"scale", "bias"})
        .inSinglePrecisionAs(b -> read(outputs, spelledOut(b, 1, 2)))
        .check();
  }

  private static List<String> read(String outputs, List<String> all) {
    return outputs.chars().mapToObj(c -> all.get(c - '0')).toList();
  }

  private static List<String> spelledOut(GraphBuilder b, long... axes) {
    String mean = b.reduceMean("x", true, axes);
    String centered = b.sub("x", mean);
    String variance = b.reduceMean(b.mul(centered, centered), true, axes);
    String epsilon = b.scalar(ElementType.DOUBLE, 1e-5f);
    String inverse = b.op("Reciprocal", b.sqrt(b.add(variance, epsilon)));
    String y = b.add(b.mul(b.mul(centered, inverse), "scale"), "bias");
    return List.of(y, mean, inverse);
  }
}
