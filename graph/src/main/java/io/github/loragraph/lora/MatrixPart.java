package io.github.loragraph.lora;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Reads what {@code Slice} and {@code Split} take of a constant matrix. */
final class MatrixPart {
  private MatrixPart() {}

  /**
   * The part that a node gives.
   *
   * @param node a {@code Slice} or {@code Split}
   * @param output which of its outputs
   * @return null where it is no run of rows or columns of a constant matrix
   */
  static Linear.@Nullable Part of(Graph graph, Node node, String output) {
    Tensor matrix = graph.constant(node.input(0));
    if (matrix == null || matrix.rank() != 2) {
      return null;
    }
    return node.is("Split") ? ofSplit(graph, node, output, matrix) : ofSlice(graph, node, matrix);
  }

  private static Linear.@Nullable Part ofSlice(Graph graph, Node node, Tensor matrix) {
    long[] starts = numbers(graph, node, 1, "starts");
    long[] ends = numbers(graph, node, 2, "ends");
    long[] axes = numbers(graph, node, 3, "axes");
    long[] steps = numbers(graph, node, 4, "steps");
    if (starts == null || starts.length != 1 || ends == null || ends.length != 1) {
      return null;
    }
    if ((node.hasInput(3) && axes == null)
        || (node.hasInput(4) && steps == null)
        || (steps != null && steps[0] != 1)) {
      return null;
    }
    int axis = axis(axes == null ? 0 : axes[0]);
    long size = axis < 0 ? 0 : matrix.dim(axis);
    long start = within(starts[0], size);
    long end = within(ends[0], size);
    return end <= start ? null : new Linear.Part(axis, start, end - start);
  }

  private static Linear.@Nullable Part ofSplit(
      Graph graph, Node node, String output, Tensor matrix) {
    int axis = axis(node.attribute("axis", 0L));
    int index = node.outputs().indexOf(output);
    if (axis < 0 || index < 0) {
      return null;
    }
    long[] sizes = numbers(graph, node, 1, "split");
    if (sizes == null) {
      if (node.hasInput(1)) {
        return null;
      }
      int count = node.outputs().size();
      long each = (matrix.dim(axis) + count - 1) / count;
      sizes = new long[count];
      Arrays.fill(sizes, each);
      sizes[count - 1] = matrix.dim(axis) - each * (count - 1);
    }
    if (index >= sizes.length || Arrays.stream(sizes).sum() != matrix.dim(axis)) {
      return null;
    }
    long start = Arrays.stream(sizes).limit(index).sum();
    return sizes[index] <= 0 ? null : new Linear.Part(axis, start, sizes[index]);
  }

  /** An input from newer operator sets on, before them an attribute; null where there is none. */
  private static long @Nullable [] numbers(Graph graph, Node node, int input, String attribute) {
    if (!node.hasInput(input)) {
      return node.longs(attribute);
    }
    Tensor tensor = graph.constant(node.input(input));
    return tensor == null || tensor.elementType().isFloatingPoint() ? null : tensor.toLongs();
  }

  /** Rows or columns; -1 for an axis that a matrix does not have. */
  private static int axis(long axis) {
    long counted = axis < 0 ? axis + 2 : axis;
    return counted == 0 || counted == 1 ? (int) counted : -1;
  }

  private static long within(long position, long size) {
    long counted = position < 0 ? position + size : position;
    return Math.max(0, Math.min(counted, size));
  }
}
