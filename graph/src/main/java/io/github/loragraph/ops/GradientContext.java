package io.github.loragraph.ops;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.shape.ValueTypes;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Gradient} works with at one node: the gradients that have come down to the node's
 * outputs, the question which inputs need one, the types of values, and all operators to compute
 * with.
 */
public final class GradientContext extends TypedGraphBuilder {
  private final Node node;
  private final GradientFlow flow;

  /**
   * @param node the node whose gradients are written
   * @param shared what nodes are put down with, under the scope that it has now
   * @param types of the forward graph
   */
  public GradientContext(Node node, GraphBuilder shared, ValueTypes types, GradientFlow flow) {
    super(shared, types);
    this.node = node;
    this.flow = flow;
  }

  /** The gradient of an output: of the output's shape; null where none has come down to it. */
  public @Nullable String outputGradient(int output) {
    return node.hasOutput(output) ? flow.gradientOf(node.output(output)) : null;
  }

  /**
   * The gradient of the first output, for rules that take no other: they are asked only where one
   * has come down to it.
   *
   * @throws IllegalStateException if none has
   */
  public String outputGradient() {
    String gradient = outputGradient(0);
    if (gradient == null) {
      throw new IllegalStateException("no gradient has come to '%s'".formatted(node.output(0)));
    }
    return gradient;
  }

  /** Whether the forms of {@link Kernels#CPU} are asked for. */
  public boolean isForCpu() {
    return flow.kernels() != Kernels.STANDARD;
  }

  /** Whether the gradient of an input is wanted; never for one that is left out. */
  public boolean needs(int input) {
    return node.hasInput(input) && flow.isWanted(node.input(input));
  }

  /**
   * Writes anew what the node computes, in its place, so that its gradient can read values in
   * between.
   *
   * @param values writes it and gives the names of the results, in the order of the node's outputs;
   *     there may be more of them than the node has outputs
   * @return the names that the results have then: those of the node's outputs, where it has them
   */
  public List<String> inPlace(Supplier<List<String>> values) {
    int before = graph().nodes().size();
    List<String> results = new ArrayList<>(values.get());
    graph().moveTail(before, node);
    graph().remove(node);
    for (int i = 0; i < results.size(); i++) {
      if (node.hasOutput(i)) {
        graph().rename(results.get(i), node.output(i));
        results.set(i, node.output(i));
      }
    }
    return results;
  }

  /** The gradient that has come to any value of the forward graph; null where none has. */
  public @Nullable String gradientOf(String value) {
    return flow.gradientOf(value);
  }

  /** The nodes of the forward graph that read a value, be it as an output of the graph too. */
  public List<Node> forwardReaders(String value) {
    return graph().consumers(value).stream()
        .filter(reader -> reader.outputs().stream().anyMatch(output -> type(output) != null))
        .toList();
  }

  /** Hands over the gradient of an input; it must have the input's shape. */
  public void inputGradient(int input, String gradient) {
    flow.contribute(node.input(input), gradient);
  }

  /**
   * Sums a gradient that has the shape of an output back to the shape of an input that was
   * broadcast to it (ONNX broadcasting rules).
   *
   * @param gradient of the shape of {@code output}
   * @param output a value of the forward graph
   * @param input a value of the forward graph that was broadcast to {@code output}
   */
  public String reduceToShape(String gradient, String output, String input) {
    Shape from = shapeOf(output);
    Shape to = shapeOf(input);
    if (from != null && to != null) {
      if (to.surelyEquals(from)) {
        return gradient;
      }
      String sum = reduceToKnown(gradient, from, to);
      if (sum != null) {
        return sum;
      }
    }
    return reduceToShapeOf(gradient, input);
  }

  /**
   * The same for an operator that broadcasts only the leading axes: the last ones of the gradient
   * are the input's already.
   *
   * @param last the number of axes at the end that are not broadcast
   */
  public String reduceLeadingToShape(String gradient, String output, String input, int last) {
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
      String sum = reduceToKnown(gradient, broadcast, to);
      if (sum != null) {
        return sum;
      }
    }
    return reduceToShapeOf(gradient, input);
  }

  /** The sum where each axis is surely broadcast or surely not; null where one may be either. */
  private @Nullable String reduceToKnown(String gradient, Shape from, Shape to) {
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
  public String reduceToShapeOf(String gradient, String input) {
    return reduceToSizes(gradient, shape(input));
  }

  /** The same for a shape that is a value. */
  public String reduceToSizes(String gradient, String to) {
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
  public String broadcastReduced(String gradient, Node reduction) {
    boolean dropped = reduction.attribute("keepdims", 1L) == 0 && reduction.hasInput(1);
    String kept = dropped ? op("Unsqueeze", gradient, reduction.input(1)) : gradient;
    String x = reduction.input(0);
    return repeat(kept, elementType(x), sizes().of(x));
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
    return target == null ? reshapeExactly(gradient, sizes().of(input)) : reshape(gradient, target);
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
  private static long @Nullable [] reshapeTarget(@Nullable Shape from, Shape to) {
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
        constantOfShape(reduce("ReduceProd", sizes().of(input), "", true), elementType(input), 0);
    return reshapeExactly(
        scatterAdd(zeros, 0, reshape(moved, flat), reshape(gradient, flat)), sizes().of(input));
  }
}
