package io.github.loragraph.shape;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link TypeRule} sees of a node: the types of its inputs, the entries of small integer
 * tensors, its attributes ({@link #node}), and arithmetic on dimensions. A dimension that is null
 * is one that nothing is known of.
 */
public final class ShapeContext {
  private final Graph graph;
  private final Node node;
  private final PropagatedShapes values;

  ShapeContext(Graph graph, Node node, PropagatedShapes values) {
    this.graph = graph;
    this.node = node;
    this.values = values;
  }

  public Node node() {
    return node;
  }

  /** The element type of an input; null where it is not known or left out. */
  public @Nullable ElementType elementType(int input) {
    return node.hasInput(input) ? values.elementType(node.input(input)) : null;
  }

  /** The shape of an input; null without a rank. */
  public @Nullable List<Dimension> shape(int input) {
    return node.hasInput(input) ? values.shape(node.input(input)) : null;
  }

  /** The rank of an input, or -1. */
  public int rank(int input) {
    List<Dimension> shape = shape(input);
    return shape == null ? -1 : shape.size();
  }

  /** The shape that an output was found to have, inference included: asked by {@code shapeData}. */
  public @Nullable List<Dimension> outputShape(int output) {
    return node.hasOutput(output) ? values.shape(node.output(output)) : null;
  }

  /** The tensor that the first output always is, or null. */
  public @Nullable Tensor constantOutput() {
    return graph.constant(node.output(0));
  }

  /** The entries of {@link #constantOutput}, where it is a small integer tensor, or null. */
  public @Nullable List<DimExpr> constantData() {
    Tensor tensor = constantOutput();
    return tensor == null ? null : PropagatedShapes.entries(tensor);
  }

  /** The entries of a small integer tensor of rank 0 or 1, or null. */
  public @Nullable List<DimExpr> data(int input) {
    return node.hasInput(input) ? values.data(node.input(input)) : null;
  }

  /** The entries of a tensor that holds nothing but numbers, or null. */
  public @Nullable List<Long> numbers(int input) {
    List<DimExpr> entries = data(input);
    if (entries == null || !entries.stream().allMatch(DimExpr::isNumber)) {
      return null;
    }
    return entries.stream().map(DimExpr::number).toList();
  }

  /** The axes, which are an attribute or, depending on the version, the second input; or null. */
  public @Nullable List<Long> axes() {
    long[] attribute = node.longs("axes");
    return attribute == null ? numbers(1) : Arrays.stream(attribute).boxed().toList();
  }

  /** The entries of a small integer tensor as a shape, or null. */
  public @Nullable List<Dimension> dimensions(int input) {
    List<DimExpr> entries = data(input);
    if (entries == null) {
      return null;
    }
    List<Dimension> dimensions = new ArrayList<>();
    entries.forEach(e -> dimensions.add(dimension(e)));
    return dimensions;
  }

  /** The size that an expression says, or null. */
  public @Nullable Dimension dimension(DimExpr expression) {
    return values.dimension(expression);
  }

  /** What is known of a size. */
  public DimExpr expression(@Nullable Dimension d) {
    return values.expression(d);
  }

  /** The number of entries of some axes, unknown where one is open. */
  public DimExpr product(List<Dimension> dimensions) {
    DimExpr result = DimExpr.of(1);
    for (Dimension d : dimensions) {
      result = result.times(expression(d));
    }
    return result;
  }

  /** The size of a slice from the start to at most a size that has a name, of so many entries. */
  public Dimension atMost(long size, String symbol) {
    return values.atMost(size, symbol);
  }

  /** The shape that all inputs are broadcast to; null where one has no rank. */
  public @Nullable List<Dimension> broadcastInputs() {
    @Nullable List<Dimension> result = List.of();
    for (int i = 0; i < node.inputs().size() && result != null; i++) {
      result = broadcast(result, shape(i));
    }
    return result;
  }

  /** The shape that two are broadcast to (ONNX's multidirectional broadcasting), or null. */
  public @Nullable List<Dimension> broadcast(
      @Nullable List<Dimension> a, @Nullable List<Dimension> b) {
    if (a == null || b == null) {
      return null;
    }
    int rank = Math.max(a.size(), b.size());
    List<Dimension> result = new ArrayList<>();
    for (int axis = 0; axis < rank; axis++) {
      int i = axis - rank + a.size();
      int j = axis - rank + b.size();
      if (i < 0) {
        result.add(b.get(j));
      } else if (j < 0) {
        result.add(a.get(i));
      } else {
        result.add(broadcast(a.get(i), b.get(j)));
      }
    }
    return result;
  }

  /** Two dimensions that broadcasting makes one, in a run that does not fail. */
  public @Nullable Dimension broadcast(@Nullable Dimension a, @Nullable Dimension b) {
    if (a == null || b == null) {
      Dimension other = a == null ? b : a;
      return other != null && other.isKnown() && other.size() != 1 ? other : null;
    }
    if (a.surelyEquals(b) || isOne(b)) {
      return a;
    }
    if (isOne(a) || b.isKnown()) {
      return b;
    }
    if (a.isKnown()) {
      return a;
    }
    // A slice of at most n entries beside n entries: it has n, or one that is repeated n times.
    if (values.isAtMost(a, b)) {
      return b;
    }
    return values.isAtMost(b, a) ? a : null;
  }

  private static boolean isOne(Dimension d) {
    return d.isKnown() && d.size() == 1;
  }

  /** Whether nothing is known of some dimension. */
  public static boolean isOpen(List<Dimension> dimensions) {
    return dimensions.stream().anyMatch(Objects::isNull);
  }

  /** An axis counted from the front. */
  public static int axis(long axis, int rank) {
    return (int) (axis < 0 ? axis + rank : axis);
  }

  /** A place within an axis of so many entries, counted from the front, and not outside. */
  public static long clamped(long index, long size) {
    return Math.max(0, Math.min(index < 0 ? index + size : index, size));
  }
}
