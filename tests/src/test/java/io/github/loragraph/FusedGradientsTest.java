package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.autodiff.Autodiff;
import io.github.loragraph.check.OrtRun;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.passes.TypedModel;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Gradients by kernels of ONNX Runtime's training build against those by standard operators, which
 * are held to finite differences elsewhere.
 */
@Tag("training-api")
class FusedGradientsTest {
  private static final Sessions SESSIONS =
      new Sessions(OrtRuntime.open(OrtRuntime.Build.TRAINING), 2);

  /** Ten roundings of single precision. */
  private static final double TOLERANCE = 6e-7;

  /** Operators of one input; another kind of operator brings a test of its own. */
  static List<String> operators() {
    return Operators.all().operators().stream()
        .filter(op -> op.gradient(Kernels.TRAINING_BUILD) != op.gradient(Kernels.CPU))
        .map(Operator::name)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("operators")
  void sameAsByStandardOperators(String operator) {
    long[][] shapes = {{}, {1}, {7}, {0, 3}, {3, 0}, {2, 3}, {5, 16, 33}, {2, 3, 4, 5}};
    for (long[] shape : shapes) {
      for (float scale : new float[] {1, 30}) {
        float[] x = numbers(shape, scale, 1);
        float[] dy = numbers(shape, 1, 2);
        float[] expected = gradient(operator, Kernels.STANDARD, shape, x, dy);
        float[] actual = gradient(operator, Kernels.TRAINING_BUILD, shape, x, dy);
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
          assertEquals(
              expected[i], actual[i], TOLERANCE * Math.max(1, Math.abs(expected[i])), operator);
        }
      }
    }
  }

  private static float[] numbers(long[] shape, float scale, long seed) {
    int count = 1;
    for (long size : shape) {
      count = Math.toIntExact(count * size);
    }
    float[] numbers = new float[count];
    Random random = new Random(seed);
    for (int i = 0; i < count; i++) {
      // Zero, where Relu has a corner, is among them.
      numbers[i] = i % 11 == 5 ? 0 : scale * (float) random.nextGaussian();
    }
    return numbers;
  }

  /** Of x, where dy comes down to the operator's output. */
  private static float[] gradient(
      String operator, Kernels kernels, long[] shape, float[] x, float[] dy) {
    Graph graph = new Graph();
    TensorType type = TensorType.of(ElementType.FLOAT, shape);
    graph.addInput(ValueInfo.of("x", type));
    graph.addInput(ValueInfo.of("dy", type));
    GraphBuilder b = new GraphBuilder(graph, "/forward");
    String loss = b.reduce("ReduceSum", b.mul(b.op(operator, "x"), "dy"), "", false);
    OnnxModel model = OnnxModel.of("test", graph, 9, GraphBuilder.OPSET);
    String gradient =
        new Autodiff(kernels)
            .gradients(
                graph,
                TypedModel.of(model, new SessionShapeInference(SESSIONS.runtime())).types(),
                loss,
                List.of("x"))
            .get("x");
    graph.addOutput(ValueInfo.untyped(gradient));
    assertEquals(
        kernels == Kernels.TRAINING_BUILD,
        graph.nodes().stream().anyMatch(n -> n.domain().equals(Kernels.DOMAIN)));
    List<HostTensor> inputs =
        List.of(Gradients.floats("x", x, shape), Gradients.floats("dy", dy, shape));
    return OrtRun.run(Kernels.imported(model), inputs, SESSIONS).get(gradient);
  }
}
