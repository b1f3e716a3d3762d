package io.github.loragraph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.shape.ShapePropagation;
import io.github.loragraph.shape.ValueTypes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShapePropagationTest {
  private static final long SEED = 20240609;

  /** Runs a model, shows every value, and holds each size and each symbol to what came out. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "tiny-bert",
        "tiny-roberta",
        "tiny-roberta-noconstfold",
        "tiny-roberta-opset17",
        "tiny-xlm-roberta",
        "tiny-roberta-dropout"
      })
  void everySymbolIsOneNumber(String folder) throws Exception {
    OnnxModel model = OnnxFile.read(TrainingNormalizerTest.fixture(folder));
    ValueTypes types =
        new ShapePropagation(Operators.all())
            .refine(model.graph(), new SessionShapeInference().infer(model));
    Graph open = model.graph().copy();
    for (Node node : open.nodes()) {
      for (String output : node.outputs()) {
        Shape shape = types.get(output).shape();
        assertTrue(shape != null, "no rank of " + output);
        for (Shape.Dimension d : shape.dimensions()) {
          assertTrue(d.isKnown() || d.symbol() != null, output + " " + shape);
          assertFalse(String.valueOf(d.symbol()).contains("#"), output + " " + shape);
        }
        open.addOutput(ValueInfo.of(output, new TensorType(types.get(output).elementType(), null)));
      }
    }
    Random random = new Random(SEED);
    for (int[] size : new int[][] {{3, 7}, {1, 1}, {2, 30}}) {
      Map<String, Tensor> inputs = Runs.tokens(model, random, size[0], size[1]);
      Map<String, Long> symbols = new HashMap<>();
      for (Tensor value : Runs.run(model.withGraph(open), inputs).values()) {
        hold(types.get(value.name()).shape(), value, symbols);
      }
      assertTrue(symbols.containsValue((long) size[1]));
    }
  }

  private static void hold(Shape shape, Tensor value, Map<String, Long> symbols) {
    String what = value + " is said to be " + shape + " (seed " + SEED + ")";
    assertEquals(shape.rank(), value.rank(), what);
    for (int axis = 0; axis < shape.rank(); axis++) {
      Shape.Dimension d = shape.dimension(axis);
      long expected =
          d.isKnown() ? d.size() : symbols.computeIfAbsent(d.symbol(), sizeOf(value, axis));
      assertEquals(expected, value.dim(axis), what);
    }
  }

  private static Function<String, Long> sizeOf(Tensor value, int axis) {
    return symbol -> value.dim(axis);
  }

  private static ValueTypes refined(TestGraph g) {
    // What inference says is left out: what comes out is all derived here.
    return new ShapePropagation(Operators.all())
        .refine(g.graph(), ranksOnly(g, new SessionShapeInference().infer(g.model())));
  }

  private static ValueTypes ranksOnly(TestGraph g, ValueTypes types) {
    Map<String, TensorType> bare = new HashMap<>();
    for (Node node : g.graph().nodes()) {
      for (String output : node.outputs()) {
        bare.put(output, new TensorType(types.get(output).elementType(), null));
      }
    }
    return types.overriddenBy(new ValueTypes(bare));
  }

  @Test
  void aReshapeMultipliesAndDivides() {
    TestGraph g = new TestGraph(20);
    String x = g.dynamicInput("x", 2, 3, 4);
    String rows = g.reshape(x, -1, 4);
    String heads = g.reshape(x, 0, 0, 2, -1);
    String back = g.reshape(rows, g.concat(0, g.shape(x), g.longs(1)));
    String open = g.reshape(back, g.concat(0, g.longs(-1), g.op("Shape", end(1), rows)));
    ValueTypes types = refined(g);
    assertEquals("[batch\u00d7sequence,4]", types.get(rows).shape().toString());
    assertEquals("[batch,sequence,2,2]", types.get(heads).shape().toString());
    assertEquals("[batch,sequence,4,1]", types.get(back).shape().toString());
    assertEquals("[4,batch\u00d7sequence]", types.get(open).shape().toString());
  }

  private static UnaryOperator<Node> end(long end) {
    return node -> node.with("end", end);
  }

  @Test
  void aSliceUpToALengthBroadcastsToIt() {
    TestGraph g = new TestGraph(20);
    String x = g.dynamicInput("x", 2, 3, 4);
    String length = g.gather(g.shape(x), g.longs(1), 0);
    String table = g.weight("table", 1, 10, 4);
    String slice = g.op("Slice", table, g.longs(0), length, g.longs(1), g.longs(1));
    String sum = g.add(slice, x);
    ValueTypes types = refined(g);
    assertEquals("[1,min(10,sequence),4]", types.get(slice).shape().toString());
    assertEquals("[batch,sequence,4]", types.get(sum).shape().toString());
  }

  @Test
  void twoUnrelatedSymbolsGiveAThird() {
    TestGraph g = new TestGraph(20);
    String x = g.input(Tensor.ofFloats("x", new float[3], 3), shape("a"));
    String y = g.input(Tensor.ofFloats("y", new float[3], 3), shape("b"));
    String sum = g.add(x, y);
    assertEquals(
        List.of(Shape.Dimension.named(sum + "#0")), refined(g).get(sum).shape().dimensions());
  }

  @Test
  void aSymbolThatStandsTwiceInOneInputIsNotBelieved() {
    TestGraph g = new TestGraph(20);
    String x = g.input(Tensor.ofFloats("x", new float[6], 2, 3), shape("n", "n"));
    String y = g.neg(x);
    Shape shape = refined(g).get(y).shape();
    assertFalse(shape.dimension(0).surelyEquals(shape.dimension(1)));
  }

  private static Shape shape(String... symbols) {
    return new Shape(List.of(symbols).stream().map(Shape.Dimension::named).toList());
  }

  @Test
  void numbersInShapesAreComputed() {
    TestGraph g = new TestGraph(20);
    String x = g.dynamicInput("x", 2, 3, 8);
    String width = g.gather(g.shape(x), g.scalar(ElementType.INT64, -1), 0);
    String half = g.unsqueeze(g.div(width, g.scalar(ElementType.INT64, 2)), 0);
    String y = g.reshape(x, g.concat(0, g.longs(0, -1), half));
    assertEquals("[batch,2\u00d7sequence,4]", refined(g).get(y).shape().toString());
  }
}
