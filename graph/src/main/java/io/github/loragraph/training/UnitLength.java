package io.github.loragraph.training;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Tells whether vectors have the length 1 by what makes them, not by their names: {@code
 * LpNormalization}, or a vector over its own length, which exporters write as {@code ReduceL2} or
 * as the root of a sum of squares, with a bound from below and an {@code Expand} between.
 */
final class UnitLength {
  /** A bound, a cast and an expansion may lie on the way, not much more. */
  private static final int FARTHEST = 8;

  private final Graph graph;

  private UnitLength(Graph graph) {
    this.graph = graph;
  }

  /** Whether the vectors along the last axis of a value have the length 1, or are zero. */
  static boolean is(Graph graph, String value) {
    return new UnitLength(graph).isUnit(value);
  }

  private boolean isUnit(String value) {
    Node node = graph.producer(plain(value));
    if (node == null) {
      return false;
    }
    if (node.is("LpNormalization")) {
      return node.attribute("p", 2L) == 2 && isLast(node.attribute("axis", -1L));
    }
    if (node.is("Div")) {
      return isLength(node.input(1), node.input(0));
    }
    return node.is("Mul")
        && (isInverseLength(node.input(1), node.input(0))
            || isInverseLength(node.input(0), node.input(1)));
  }

  private boolean isInverseLength(String value, String of) {
    Node node = graph.producer(unguarded(value));
    if (node == null) {
      return false;
    }
    if (node.is("Reciprocal")) {
      return isLength(node.input(0), of);
    }
    if (node.is("Div")) {
      return isNumber(node.input(0), 1) && isLength(node.input(1), of);
    }
    return node.is("Pow") && isNumber(node.input(1), -0.5) && isSquareSum(node.input(0), of);
  }

  private boolean isLength(String value, String of) {
    Node node = graph.producer(unguarded(value));
    if (node == null) {
      return false;
    }
    if (node.is("ReduceL2")) {
      return isOverLast(node) && isSame(node.input(0), of);
    }
    return (node.is("Sqrt") || (node.is("Pow") && isNumber(node.input(1), 0.5)))
        && isSquareSum(node.input(0), of);
  }

  private boolean isSquareSum(String value, String of) {
    Node node = graph.producer(unguarded(value));
    if (node == null || !isOverLast(node)) {
      return false;
    }
    if (node.is("ReduceSumSquare")) {
      return isSame(node.input(0), of);
    }
    Node square = node.is("ReduceSum") ? graph.producer(plain(node.input(0))) : null;
    if (square == null || !isSame(square.input(0), of)) {
      return false;
    }
    return square.is("Mul")
        ? isSame(square.input(1), of)
        : square.is("Pow") && isNumber(square.input(1), 2);
  }

  private boolean isSame(String value, String of) {
    String one = plain(value);
    Node node = graph.producer(one);
    return (node != null && node.is("Abs") ? plain(node.input(0)) : one).equals(plain(of));
  }

  /** The value before it was given another name or type. */
  private String plain(String value) {
    Node node = graph.producer(value);
    while (node != null && (node.is("Identity") || node.is("Cast"))) {
      value = node.input(0);
      node = graph.producer(value);
    }
    return value;
  }

  /** The value before it was kept from being zero and was brought to another shape. */
  private String unguarded(String value) {
    String before = plain(value);
    for (int i = 0; i < FARTHEST; i++) {
      Node node = graph.producer(before);
      if (node == null) {
        return before;
      }
      if (node.is("Expand") || node.is("Clip") || node.is("Unsqueeze")) {
        before = plain(node.input(0));
      } else if ((node.is("Max") || node.is("Add")) && node.inputs().size() == 2) {
        boolean first = graph.constant(node.input(1)) != null;
        if (!first && graph.constant(node.input(0)) == null) {
          return before;
        }
        before = plain(node.input(first ? 0 : 1));
      } else {
        return before;
      }
    }
    return before;
  }

  private boolean isNumber(String value, double number) {
    Tensor tensor = graph.constant(value);
    return tensor != null && tensor.elementCount() == 1 && tensor.toDoubles()[0] == number;
  }

  private boolean isOverLast(Node reduction) {
    long[] axes = axes(graph, reduction);
    return axes != null && axes.length == 1 && isLast(axes[0]);
  }

  /** An embedding is (batch, dimension). */
  private static boolean isLast(long axis) {
    return axis == -1 || axis == 1;
  }

  /** The axes that a reduction goes over; null where it does not say them. */
  static long @Nullable [] axes(Graph graph, Node reduction) {
    long[] stated = reduction.longs("axes");
    if (stated != null || !reduction.hasInput(1)) {
      return stated;
    }
    Tensor given = graph.constant(reduction.input(1));
    return given == null ? null : given.toLongs();
  }
}
