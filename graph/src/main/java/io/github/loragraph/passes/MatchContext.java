package io.github.loragraph.passes;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.shape.ValueTypes;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A graph that rules look at, and what is known of it.
 *
 * @param typed tells the types; values that were made since are not known there
 * @param trainable values that must stay as they are because they will change: no rule may take
 *     them for constants
 */
record MatchContext(Graph graph, TypedModel typed, Set<String> trainable) {
  static MatchContext of(TypedModel model, Set<String> trainable) {
    return new MatchContext(model.graph(), model, trainable);
  }

  /** The same after a change of the graph in which values that keep their names are the same. */
  MatchContext with(Graph changed) {
    return new MatchContext(changed, typed, trainable);
  }

  /** The types of the graph's values, worked out when a rule first asks. */
  ValueTypes types() {
    return typed.types();
  }

  /** The tensor that a value always is, in training too; null where there is none. */
  @Nullable Tensor constant(String value) {
    String source = value;
    while (!trainable.contains(source)) {
      Node producer = graph.producer(source);
      if (producer == null || !producer.is("Identity")) {
        return graph.constant(source);
      }
      source = producer.input(0);
    }
    return null;
  }

  /** The number that a value always is, in training too; null where it is none or several. */
  @Nullable Double number(String value) {
    Tensor tensor = constant(value);
    if (tensor == null || tensor.elementCount() != 1) {
      return null;
    }
    return switch (tensor.elementType()) {
      case FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT64, INT32 -> tensor.toDoubles()[0];
      default -> null;
    };
  }

  /** The shape as far as it is known; null without a rank. */
  @Nullable Shape shape(String value) {
    TensorType type = types().get(value);
    return type == null ? null : type.shape();
  }

  /** The rank, or -1 where it is not known. */
  int rank(String value) {
    Shape shape = shape(value);
    return shape == null ? -1 : shape.rank();
  }

  /** The size of the last axis, or -1 where it is not known. */
  long width(String value) {
    Shape shape = shape(value);
    return shape == null || shape.rank() == 0 ? -1 : shape.dimension(-1).size();
  }

  /** Whether an axis attribute or entry surely means the last axis of a value. */
  boolean isLastAxis(long axis, String value) {
    return axis == -1 || (axis >= 0 && axis == rank(value) - 1L);
  }

  /** Whether just one node reads a value, once, and no graph output shows it. */
  boolean isReadOnce(String value) {
    return graph.consumers(value).size() == 1
        && graph.consumers(value).get(0).inputs().stream().filter(value::equals).count() == 1
        && !graph.isOutput(value);
  }
}
