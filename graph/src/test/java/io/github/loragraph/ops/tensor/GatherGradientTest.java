package io.github.loragraph.ops.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.autodiff.Autodiff;
import io.github.loragraph.autodiff.FiniteDifferences;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.shape.ShapePropagation;
import io.github.loragraph.shape.ValueTypes;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GatherGradientTest {
  @Test
  void oneRowOfAxisOne() {
    FiniteDifferences.of(b -> b.gather("x", "i", 1))
        .input("x", 2, 3, 4)
        .constant("i", new long[] {0})
        .check();
  }

  @Test
  void oneRowOfAxisTwo() {
    FiniteDifferences.of(b -> b.gather("x", "i", 2))
        .input("x", 2, 3, 4)
        .constant("i", new long[] {1})
        .check();
  }

  @Test
  void lastRow() {
    FiniteDifferences.of(b -> b.gather("x", "i", 1))
        .input("x", 2, 3, 4)
        .constant("i", new long[] {-1})
        .check();
  }

  @Test
  void embedding() {
    FiniteDifferences.of(b -> b.gather("x", "i", 0))
        .input("x", 5, 3)
        .constant("i", new long[] {1, 4, 1, 0}, 2, 2)
        .check();
  }

  @Test
  void repeatedRows() {
    FiniteDifferences.of(b -> b.gather("x", "i", 0))
        .input("x", 3, 2)
        .constant("i", new long[] {2, 2, 2}, 3)
        .check();
  }

  @Test
  void negativeRows() {
    FiniteDifferences.of(b -> b.gather("x", "i", 0))
        .input("x", 3, 2)
        .constant("i", new long[] {-1, 0, -3}, 3)
        .check();
  }

  @Test
  void manyOffAxisZero() {
    FiniteDifferences.of(b -> b.gather("x", "i", 1))
        .input("x", 2, 4, 3)
        .constant("i", new long[] {3, 1, 1}, 3)
        .check();
  }

  @Test
  void negativeAxis() {
    FiniteDifferences.of(b -> b.gather("x", "i", -1))
        .input("x", 2, 4)
        .constant("i", new long[] {3, 1}, 2)
        .check();
  }

  @Test
  void negativeAxisAndOneIndex() {
    FiniteDifferences.of(b -> b.gather("x", "i", -2))
        .input("x", 2, 3, 4)
        .constant("i", new long[] {1})
        .check();
  }

  @Test
  void oneIndexInAVector() {
    FiniteDifferences.of(b -> b.gather("x", "i", 1))
        .input("x", 2, 3)
        .constant("i", new long[] {2}, 1)
        .check();
  }

  @Test
  void computedScalarIndex() {
    FiniteDifferences.of(b -> b.gather("x", b.add("i", "i"), 1))
        .input("x", 2, 3, 4)
        .constant("i", new long[] {1})
        .check();
  }

  @Test
  void matrixOfIndicesOffAxisZero() {
    FiniteDifferences.of(b -> b.gather("x", "i", -2))
        .input("x", 2, 4, 3)
        .constant("i", new long[] {3, 1, 1, -4, 0, 2}, 3, 2)
        .check();
  }

  @Test
  void smallIndices() {
    FiniteDifferences.of(b -> b.gather("x", "i", 0))
        .input("x", 4, 3)
        .constant("i", Tensor.ofInts("i", new int[] {3, 1, 1}, 3))
        .check();
  }

  @Test
  void noIndices() {
    FiniteDifferences.of(b -> b.gather("x", "i", 0))
        .input("x", 4, 3)
        .constant("i", new long[0], 0)
        .check();
  }

  @Test
  void emptySlices() {
    FiniteDifferences.of(b -> b.gather("x", "i", 0))
        .input("x", 4, 0)
        .constant("i", new long[] {1, 1}, 2)
        .check();
  }

  @Test
  void vector() {
    FiniteDifferences.of(b -> b.gather("x", "i", 0))
        .input("x", 4)
        .constant("i", new long[] {1, 3, 1}, 3)
        .check();
  }

  /** Every token is of type 0, and many threads add to that one row. */
  @Test
  void nothingIsLostWhereThreadsMeet() throws OrtException {
    int tokens = 2048;
    int width = 64;
    Graph graph = new Graph();
    graph.putInitializer(Tensor.filled("x", ElementType.FLOAT, 0.5, 2, width));
    graph.putInitializer(Tensor.filled("i", ElementType.INT64, 0, tokens));
    GraphBuilder b = new GraphBuilder(graph, "/forward");
    String picked = b.gather("x", "i", 0);
    String loss = b.reduce("ReduceSum", picked, "", false);
    ValueTypes types =
        ValueTypes.declared(graph)
            .overriddenBy(
                new ValueTypes(
                    Map.of(
                        picked, TensorType.of(ElementType.FLOAT, tokens, width),
                        loss, TensorType.of(ElementType.FLOAT))));
    String gradient =
        new Autodiff(Kernels.STANDARD)
            .gradients(
                graph,
                new ShapePropagation(Operators.all()).refine(graph, types),
                loss,
                List.of("x"))
            .get("x");
    graph.addOutput(ValueInfo.untyped(gradient));
    graph.removeDeadNodes();
    OnnxModel model = OnnxModel.of("test", graph, 9, GraphBuilder.OPSET);
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(4);
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
      byte[] bytes = OnnxFile.serialize(model, t -> false);
      try (OrtSession session = environment.createSession(bytes, options)) {
        for (int run = 0; run < 20; run++) {
          try (OrtSession.Result result = session.run(Map.of())) {
            float[][] rows = (float[][]) result.get(0).getValue();
            float[] all = new float[width];
            Arrays.fill(all, tokens);
            assertArrayEquals(all, rows[0]);
            assertArrayEquals(new float[width], rows[1]);
          }
        }
      }
    }
  }
}
