package io.github.loragraph.ops;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.shape.ValueTypes;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Writes nodes behind a graph whose types are known: what gradients and function bodies are written
 * with.
 */
public class TypedGraphBuilder extends GraphBuilder {
  private final ValueTypes types;
  private final ShapeArithmetic sizes = new ShapeArithmetic(this);

  /**
   * @param scope the beginning of the names of all nodes and values that are made
   * @param types of the values of the graph as it is; those that are made here have none
   */
  public TypedGraphBuilder(Graph graph, String scope, ValueTypes types) {
    super(graph, scope);
    this.types = types;
  }

  /** A view of the graph of another builder, under its scope. */
  public TypedGraphBuilder(GraphBuilder shared, ValueTypes types) {
    this(shared, shared.scope(), types);
  }

  /** A view of the graph of another builder. */
  public TypedGraphBuilder(GraphBuilder shared, String scope, ValueTypes types) {
    super(shared, scope);
    this.types = types;
  }

  final ValueTypes types() {
    return types;
  }

  /** The type of a value of the forward graph, or null where nothing is known. */
  public @Nullable TensorType type(String value) {
    return types.get(value);
  }

  /**
   * The element type of a value of the forward graph.
   *
   * @throws IllegalStateException if the type is not known
   */
  public ElementType elementType(String value) {
    TensorType type = types.get(value);
    if (type == null) {
      throw new IllegalStateException("the element type of '" + value + "' is not known");
    }
    return type.elementType();
  }

  /** The shape of a value of the forward graph as far as it is known; null without a rank. */
  public @Nullable Shape shapeOf(String value) {
    TensorType type = types.get(value);
    return type == null ? null : type.shape();
  }

  /** The rank of a value of the forward graph, or -1 where it is not known. */
  public int rank(String value) {
    Shape shape = shapeOf(value);
    return shape == null ? -1 : shape.rank();
  }

  /** The tensor that a value of the forward graph always is, or null. */
  public @Nullable Tensor constant(String value) {
    return graph().constant(value);
  }

  /** A number of the element type of a value of the forward graph. */
  public String scalarLike(String value, double number) {
    return scalar(elementType(value), number);
  }

  /** Whether an axis surely is the last one of a value. */
  public boolean isLastAxis(long axis, String value) {
    return axis == -1 || (axis >= 0 && axis == rank(value) - 1L);
  }

  /** Arithmetic on the sizes of values. */
  public ShapeArithmetic sizes() {
    return sizes;
  }

  /**
   * A part of a shape.
   *
   * @param end null for all axes from the start on
   */
  String shapePart(String value, long start, @Nullable Long end) {
    return once(
        Arrays.asList("Shape", value, start, end),
        () ->
            op(
                "Shape",
                n -> end == null ? n.with("start", start) : n.with("start", start).with("end", end),
                value));
  }

  /** A tensor in a shape that is a value and that has no entries with a special meaning. */
  public String reshapeExactly(String x, String shape) {
    return op("Reshape", n -> n.with("allowzero", 1), x, shape);
  }

  /**
   * A tensor repeated along axes of size 1. (Where a size is the constant 0, ONNX Runtime 1.28
   * takes the node out and leaves the 1; an empty tensor needs no source.)
   */
  public String repeat(String x, ElementType type, String shape) {
    long[] numbers = sizes.numbers(shape);
    boolean empty = numbers != null && Arrays.stream(numbers).anyMatch(size -> size == 0);
    return empty ? constantOfShape(shape, type, 0) : expand(x, shape);
  }

  /** Zeros in the shape and the element type of a value of the forward graph. */
  public String zerosLike(String value) {
    return constantOfShape(sizes.of(value), elementType(value), 0);
  }

  /**
   * The entries of a value of the forward graph, numbered in their order: INT64, of the value's
   * shape. An operator that only moves entries shows on them where each one goes.
   */
  public String positions(String value) {
    String shape = sizes.of(value);
    String count = reduce("ReduceProd", shape, "", false);
    return reshapeExactly(sizes.range(count), shape);
  }

  /**
   * Adds numbers to the entries of a tensor that indices name along an axis; the same entry may be
   * named several times. (ScatterND adds slices in parallel in ONNX Runtime 1.28 on the CPU and
   * loses those that go to the same place, so it does not serve here: microsoft/onnxruntime#18048
   * and #23396.)
   *
   * @param indices of the shape of {@code updates}
   */
  public String scatterAdd(String x, long axis, String indices, String updates) {
    return op(
        "ScatterElements", n -> n.with("axis", axis).with("reduction", "add"), x, indices, updates);
  }

  /** A tensor of a shape that is a value, with the same number everywhere. */
  public String constantOfShape(String shape, ElementType type, double value) {
    Tensor element = Tensor.filled("value", type, value, 1);
    return op("ConstantOfShape", n -> n.with("value", element), shape);
  }
}
