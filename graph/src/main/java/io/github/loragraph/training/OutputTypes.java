package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.passes.TypedModel;
import io.github.loragraph.shape.ValueTypes;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the model declares and what is inferred, each asked for only if it is needed. */
final class OutputTypes {
  private static final int SOFTMAX_OVER_ONE_AXIS = 13;

  /** Bias, casts and dropout between a projection and the output. */
  private static final int FARTHEST_PROJECTION = 6;

  private final TypedModel typed;
  private final OnnxModel model;

  OutputTypes(TypedModel typed) {
    this.typed = typed;
    this.model = typed.model();
  }

  private ValueTypes inferred() {
    return typed.inferred();
  }

  boolean isFloatingPoint(ValueInfo output) {
    TensorType type = output.type();
    if (type == null || type.elementType() == ElementType.UNDEFINED) {
      type = inferred().get(output.name());
    }
    return type != null && type.isFloatingPoint();
  }

  /** Whether a softmax goes over the last axis, which then is that of the output. */
  boolean isOverLastAxis(Node softmax, List<Node> after, TensorType output) {
    boolean reshaped = after.stream().anyMatch(n -> !n.is("Identity") && !n.is("Cast"));
    TensorType own = reshaped ? inferred().get(softmax.output(0)) : output;
    Shape shape = own == null ? null : own.shape();
    int rank = shape == null ? 0 : shape.rank();
    // Before operator set 13 the axis is 1 unless stated, and all axes after it are one.
    long axis = softmax.attribute("axis", model.opset() < SOFTMAX_OVER_ONE_AXIS ? 1L : -1L);
    if (axis != -1 && rank > 0 && axis != rank - 1) {
      return false;
    }
    return shape == null
        || rank == 0
        || output.shape() == null
        || output.shape().rank() == 0
        || !shape.dimension(-1).isKnown()
        || !output.shape().dimension(-1).isKnown()
        || shape.dimension(-1).size() == output.shape().dimension(-1).size();
  }

  /**
   * The type of an output: as inferred where the declaration leaves something open that matters, or
   * the weights say otherwise.
   *
   * @param value that a projection may make, of the output's last axis
   */
  TensorType joined(ValueInfo output, String value) {
    TensorType declared = output.type();
    Shape shape = declared == null ? null : declared.shape();
    long width = width(model.graph(), value);
    if (shape != null
        && declared != null
        && declared.elementType() != ElementType.UNDEFINED
        && shape.rank() > 0
        && (shape.rank() == 1
            ? width < 0
            : shape.dimension(-1).isKnown()
                && (width < 0 || width == shape.dimension(-1).size()))) {
      return declared;
    }
    TensorType found = inferred().get(output.name());
    ElementType element =
        found != null && found.elementType() != ElementType.UNDEFINED
            ? found.elementType()
            : declared == null ? ElementType.UNDEFINED : declared.elementType();
    Shape computed = found == null ? null : found.shape();
    if (computed == null || computed.rank() == 0) {
      computed = shape;
    }
    return new TensorType(element, computed == null ? null : filled(computed, shape, width));
  }

  /** Open dimensions by the names, or sizes, that the declaration has for them. */
  private static Shape filled(Shape computed, @Nullable Shape declared, long width) {
    List<Shape.Dimension> dimensions = new ArrayList<>(computed.dimensions());
    int rank = dimensions.size();
    for (int axis = 0; axis < rank; axis++) {
      boolean open = !dimensions.get(axis).isKnown();
      if (open && axis == rank - 1 && rank > 1 && width >= 0) {
        dimensions.set(axis, Shape.Dimension.of(width));
      } else if (open && declared != null && declared.rank() == rank) {
        Shape.Dimension stated = declared.dimension(axis);
        if (stated.isKnown() || stated.symbol() != null) {
          dimensions.set(axis, stated);
        }
      }
    }
    return new Shape(dimensions);
  }

  /** The size of the last axis of what a projection makes, seen from its weight; -1 for others. */
  private static long width(Graph graph, String value) {
    Node node = graph.producer(value);
    for (int i = 0; node != null && i < FARTHEST_PROJECTION; i++) {
      if (node.is("MatMul") || node.is("Gemm")) {
        return width(graph, node);
      }
      String next = null;
      if (node.is("Identity") || node.is("Cast") || node.is("Dropout")) {
        next = node.input(0);
      } else if (node.is("Add")) {
        next =
            graph.constant(node.input(0)) != null
                ? node.input(1)
                : graph.constant(node.input(1)) != null ? node.input(0) : null;
      }
      node = next == null ? null : graph.producer(next);
    }
    return -1;
  }

  private static long width(Graph graph, Node product) {
    boolean transposed = product.is("Gemm") && product.attribute("transB", 0L) != 0;
    String weight = product.input(1);
    Node maker = graph.producer(weight);
    if (maker != null && maker.is("Transpose")) {
      weight = maker.input(0);
      transposed = !transposed;
    }
    Tensor tensor = graph.constant(weight);
    return tensor == null || tensor.rank() != 2 ? -1 : tensor.dim(transposed ? 0 : 1);
  }
}
