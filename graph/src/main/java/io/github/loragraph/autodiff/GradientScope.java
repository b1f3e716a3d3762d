package io.github.loragraph.autodiff;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.shape.ValueTypes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * What a {@link GradientRule} works with: the gradients that have come down to the node's outputs,
 * the question which inputs need one, the types of values, and all operators to compute with.
 */
public final class GradientScope extends GraphBuilder {
  private final ValueTypes types;
  private final Set<String> path;
  private final Map<String, List<String>> contributions = new HashMap<>();
  private final Sizes sizes = new Sizes(this);
  private Node node;

  /**
   * @param path the values that a gradient passes through
   */
  GradientScope(Graph graph, ValueTypes types, Set<String> path) {
    super(graph, "/gradient");
    this.types = types;
    this.path = path;
  }

  void enter(Node next) {
    node = next;
    setScope("/gradient" + (next.name().startsWith("/") ? "" : "/") + next.name());
  }

  void contribute(String value, String gradient) {
    contributions.computeIfAbsent(value, k -> new ArrayList<>()).add(gradient);
  }

  /** The sum of all gradients that have come to a value, or null where none has. */
  String gradientOf(String value) {
    List<String> parts = contributions.get(value);
    if (parts == null) {
      return null;
    }
    while (parts.size() > 1) {
      String sum = add(parts.get(0), parts.get(1));
      parts.set(0, sum);
      parts.remove(1);
    }
    return parts.get(0);
  }

  /**
   * What of the node's gradients a rule would lose: a few words, or null where it takes all. Asked
   * before the walk of all that lies on the path, where every value gets a gradient.
   */
  String untaken(GradientRule rule) {
    for (int i = 0; i < node.outputs().size(); i++) {
      if (node.hasOutput(i) && path.contains(node.output(i)) && !rule.takes(i)) {
        return "with a gradient for its output " + (i + 1) + ", '" + node.output(i) + "'";
      }
    }
    for (String value : node.reads()) {
      TensorType type = types.get(value);
      boolean integer = type != null && !type.isFloatingPoint();
      if (integer && path.contains(value) && !rule.passesIntegers()) {
        return "of quantized numbers";
      }
    }
    return null;
  }

  /** The gradient of an output: of the output's shape; null where none has come down to it. */
  public String outputGradient(int output) {
    return node.hasOutput(output) ? gradientOf(node.output(output)) : null;
  }

  /** Whether the gradient of an input is wanted; never for one that is left out. */
  public boolean needs(int input) {
    return node.hasInput(input) && path.contains(node.input(input));
  }

  /** Hands over the gradient of an input; it must have the input's shape. */
  public void inputGradient(int input, String gradient) {
    contribute(node.input(input), gradient);
  }

  /** The type of a value of the forward graph, or null where nothing is known. */
  public TensorType type(String value) {
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
  public Shape shapeOf(String value) {
    TensorType type = types.get(value);
    return type == null ? null : type.shape();
  }

  /** The rank of a value of the forward graph, or -1 where it is not known. */
  public int rank(String value) {
    Shape shape = shapeOf(value);
    return shape == null ? -1 : shape.rank();
  }

  /** The tensor that a value of the forward graph always is, or null. */
  public Tensor constant(String value) {
    return graph().constant(value);
  }

  /** A number of the element type of a value of the forward graph. */
  public String scalarLike(String value, double number) {
    return scalar(elementType(value), number);
  }

  /**
   * Sums a gradient that has the shape of an output back to the shape of an input that was
   * broadcast to it (ONNX broadcasting rules).
   *
   * @param gradient of the shape of {@code output}
   * @param output a value of the forward graph
   * @param input a value of the forward graph that was broadcast to {@code output}
   */
  public String sumTo(String gradient, String output, String input) {
    Shape from = shapeOf(output);
    Shape to = shapeOf(input);
    if (from != null && to != null) {
      if (to.surelyEquals(from)) {
        return gradient;
      }
      String sum = sumToKnown(gradient, from, to);
      if (sum != null) {
        return sum;
      }
    }
    return sumToShape(gradient, input);
  }

  /**
   * The same for an operator that broadcasts only the leading axes: the last ones of the gradient
   * are the input's already.
   *
   * @param last the number of axes at the end that are not broadcast
   */
  public String sumLeadingTo(String gradient, String output, String input, int last) {
    Shape from = shapeOf(output);
    Shape to = shapeOf(input);
    if (from != null && to != null && from.rank() >= last && to.rank() >= last) {
      List<Shape.Dimension> dimensions =
          new ArrayList<>(from.dimensions().subList(0, from.rank() - last));
      dimensions.addAll(to.dimensions().subList(to.rank() - last, to.rank()));
      Shape broadcast = new Shape(dimensions);
      if (to.surelyEquals(broadcast)) {
        return gradient;
      }
      String sum = sumToKnown(gradient, broadcast, to);
      if (sum != null) {
        return sum;
      }
    }
    return sumToShape(gradient, input);
  }

  /** The sum where each axis is surely broadcast or surely not; null where one may be either. */
  private String sumToKnown(String gradient, Shape from, Shape to) {
    int added = from.rank() - to.rank();
    List<Long> kept = new ArrayList<>();
    for (int axis = 0; axis < to.rank(); axis++) {
      Shape.Dimension d = to.dimension(axis);
      boolean broadcast = d.isKnown() && d.size() == 1;
      if (broadcast && !d.surelyEquals(from.dimension(added + axis))) {
        kept.add((long) added + axis);
      } else if (!broadcast && !d.isKnown() && !d.surelyEquals(from.dimension(added + axis))) {
        return null;
      }
    }
    String sum = gradient;
    if (!kept.isEmpty()) {
      sum = reduceSum(sum, true, kept.stream().mapToLong(Long::longValue).toArray());
    }
    if (added > 0) {
      sum = reduceSum(sum, false, LongStream.range(0, added).toArray());
    }
    return sum;
  }

  /**
   * Sums a gradient back to the shape of an input that was broadcast, worked out while the graph
   * runs: the input's shape is filled up with ones at the front, the axes where it differs from the
   * gradient's are summed over, the result takes the input's shape.
   */
  public String sumToShape(String gradient, String input) {
    return sumToSizes(gradient, shape(input));
  }

  /** The same for a shape that is a value. */
  public String sumToSizes(String gradient, String to) {
    String from = shape(gradient);
    String missing = sub(shape(from), shape(to));
    String ones = constantOfShape(missing, ElementType.INT64, 1);
    String filled = concat(0, ones, to);
    String broadcast = op("Not", op("Equal", filled, from));
    // An axis of size 1 in front is always summed over: without any axis, ONNX Runtime mistakes an
    // empty tensor for one to sum whole.
    String broadcastAxes = reshape(op("NonZero", broadcast), -1);
    String one = longs(1);
    String axes = concat(0, longs(0), add(broadcastAxes, one));
    String sum = op("ReduceSum", unsqueeze(gradient, 0), axes);
    return op("Reshape", n -> n.with("allowzero", 1), sum, to);
  }

  /**
   * Spreads the gradient of a reduction over the axes that were reduced.
   *
   * @param reduction with its axes as input 1, if it has any
   * @return of the shape of the reduction's input
   */
  public String spread(String gradient, Node reduction) {
    boolean dropped = reduction.attribute("keepdims", 1L) == 0 && reduction.hasInput(1);
    String kept = dropped ? op("Unsqueeze", gradient, reduction.input(1)) : gradient;
    String x = reduction.input(0);
    return repeat(kept, elementType(x), sizes.of(x));
  }

  /** Arithmetic on the sizes of values. */
  public Sizes sizes() {
    return sizes;
  }

  /**
   * A part of a shape.
   *
   * @param end null for all axes from the start on
   */
  String shapePart(String value, long start, Long end) {
    return once(
        Arrays.asList("Shape", value, start, end),
        () ->
            op(
                "Shape",
                n -> end == null ? n.with("start", start) : n.with("start", start).with("end", end),
                value));
  }

  /**
   * A gradient in the shape of an input whose entries the operator leaves in their order.
   *
   * @param gradient of the shape of {@code output}
   * @param output a value of the forward graph
   * @param input a value of the forward graph with as many entries
   */
  public String reshapeTo(String gradient, String output, String input) {
    Shape from = shapeOf(output);
    Shape to = shapeOf(input);
    long[] target = to == null ? null : reshapeTarget(from, to);
    return target == null ? reshapeExactly(gradient, sizes.of(input)) : reshape(gradient, target);
  }

  /** The same from a shape that no value of the forward graph has. */
  public String reshapeTo(String gradient, String input) {
    return reshapeTo(gradient, "", input);
  }

  /**
   * Sizes for Reshape, where 0 copies the axis at the same place and -1 stands for what is left;
   * null where that is not enough. What is left cannot be told from a tensor without entries, so -1
   * stands only beside positive numbers.
   */
  private static long[] reshapeTarget(Shape from, Shape to) {
    long[] target = new long[to.rank()];
    boolean copied = false;
    int open = -1;
    for (int axis = 0; axis < target.length; axis++) {
      Shape.Dimension d = to.dimension(axis);
      if (d.isKnown() && d.size() > 0) {
        target[axis] = d.size();
      } else if (from != null && axis < from.rank() && d.surelyEquals(from.dimension(axis))) {
        copied = true;
      } else if (open < 0 && !d.isKnown()) {
        open = axis;
        target[axis] = -1;
      } else {
        return null;
      }
    }
    return open >= 0 && copied ? null : target;
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
   * The gradient of an input whose entries the operator moved, dropped or repeated: the gradients
   * of all places that an entry went to are added up.
   *
   * @param gradient the gradient of the output
   * @param moved what the operator makes of the {@link #positions} of the input
   */
  public String gradientOfMoved(String gradient, String moved, String input) {
    String flat = longs(-1);
    String zeros =
        constantOfShape(reduce("ReduceProd", sizes.of(input), "", true), elementType(input), 0);
    return reshapeExactly(
        scatterAdd(zeros, 0, reshape(moved, flat), reshape(gradient, flat)), sizes.of(input));
  }

  /**
   * Adds numbers to the entries of a tensor that indices name along an axis; the same entry may be
   * named several times. (ScatterND adds slices in parallel in ONNX Runtime 1.28 on the CPU and
   * loses those that go to the same place, so it does not serve here.)
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
