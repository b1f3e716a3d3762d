package io.github.loragraph.training;

import io.github.loragraph.autodiff.Autodiff;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.shape.ShapePropagation;
import io.github.loragraph.shape.ValueTypes;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A loss alone, and its gradient by the embeddings, as a model of standard operators. Where a batch
 * is too large to be trained at once, its embeddings are computed part by part without gradients,
 * this makes one gradient of all of them, and each part goes on from its piece of it by {@link
 * GradientLoss} (Gao et al. 2021, arXiv 2101.06983).
 */
public final class LossGradient {
  /** The input: FLOAT (batch, texts, dimension), the anchor first. */
  public static final String EMBEDDINGS = Towers.EMBEDDINGS;

  /** The output of the loss, a FLOAT scalar. */
  public static final String LOSS = "loss";

  /** The output of the gradient, FLOAT of the embeddings' shape. */
  public static final String GRADIENT = "gradient";

  private static final int IR_VERSION = 9;

  private LossGradient() {}

  /**
   * Makes the model. Inputs: {@link #EMBEDDINGS} and {@link Loss#LABELS}, as the loss declares
   * them.
   *
   * @param texts how many vectors a row has, the anchor's among them
   * @throws io.github.loragraph.error.LoraGraphException if the loss is not of such embeddings
   */
  public static OnnxModel of(Loss loss, Dimension texts, int dimension) {
    return of(
        loss,
        new TensorType(
            ElementType.FLOAT,
            new Shape(List.of(Dimension.named("batch"), texts, Dimension.of(dimension)))));
  }

  static OnnxModel of(Loss loss, TensorType type) {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of(EMBEDDINGS, type));
    graph.addInput(loss.labels(type));
    String value = loss.emit(new GraphBuilder(graph, "/loss"), EMBEDDINGS, type);
    ValueTypes types =
        new ShapePropagation(Operators.all()).complete(graph, ValueTypes.declared(graph)).types();
    Map<String, String> gradients =
        new Autodiff(Kernels.STANDARD).gradients(graph, types, value, List.of(EMBEDDINGS));
    String gradient = Objects.requireNonNull(gradients.get(EMBEDDINGS));
    answer(graph, value, LOSS, TensorType.of(type.elementType()));
    answer(graph, gradient, GRADIENT, type);
    graph.removeDeadNodes();
    return OnnxModel.of("loss", graph, IR_VERSION, GraphBuilder.OPSET);
  }

  private static void answer(Graph graph, String value, String name, TensorType type) {
    graph.add(Node.of("/" + name, "Identity", List.of(value), List.of(name)));
    graph.addOutput(ValueInfo.of(name, type));
  }
}
