package io.github.loragraph.passes;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.ValueTypes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Computes only what is read. Classifiers read the first token of the last layer, yet the layer
 * computes all of them; the selection is moved towards the input, past every operator that treats
 * tokens alike, until it reaches a value that is needed whole: the keys and values of the last
 * layer's attention. In training that saves the same work again on the way back.
 *
 * <p>The {@code Gather} of one index becomes a {@code Slice} of length 1 and a {@code Squeeze}, so
 * that ranks stay. A slice passes a node if all readers of the node's output are that same slice,
 * and if the node's inputs are proved to have the axis: where shapes are not known, nothing is
 * moved.
 */
final class FirstTokenSelection implements Pass {
  /** Counts operators that compute less than before. */
  static final String PASSED = "FirstTokenSelection";

  /** Moves all selections of the first entry of an axis as far as they go. */
  @Override
  public Result apply(TypedModel model, Set<String> trainable) {
    Graph graph = model.graph().copy();
    Walk walk = new Walk(graph, model.types());
    int passed = walk.run();
    if (!walk.changed()) {
      return new Result(model, Map.of(PASSED, 0));
    }
    graph.removeDeadNodes();
    return new Result(model.with(model.model().withGraph(graph)), Map.of(PASSED, passed));
  }

  /** One walk over a graph, which is changed. */
  private static final class Walk {
    private final Graph graph;
    private final ValueTypes types;

    /** The slices that exist already: by value, then by axis, the name of the slice. */
    private final Map<String, Map<Integer, String>> sliceOf = new HashMap<>();

    /** The axis of each slice that was made here, by the name of its output. */
    private final Map<String, Integer> axisOf = new HashMap<>();

    Walk(Graph graph, ValueTypes types) {
      this.graph = graph;
      this.types = types;
    }

    /** Whether there is any selection. */
    boolean changed() {
      return !sliceOf.isEmpty();
    }

    int run() {
      for (Node node : List.copyOf(graph.nodes())) {
        Shape shape = node.is("Gather") && isFirst(node) ? shape(node.input(0)) : null;
        if (shape != null) {
          split(node, shape.rank());
        }
      }
      int passed = 0;
      List<Node> nodes = List.copyOf(graph.nodes());
      for (int i = axisOf.isEmpty() ? -1 : nodes.size() - 1; i >= 0; i--) {
        Node node = nodes.get(i);
        Integer axis = node.outputs().size() == 1 ? slicedAxis(node.output(0)) : null;
        Map<Integer, Integer> inputAxes = axis == null ? null : inputAxes(node, axis);
        if (axis != null && inputAxes != null) {
          pass(node, axis, inputAxes);
          passed++;
        }
      }
      return passed;
    }

    private boolean isFirst(Node gather) {
      Tensor index = graph.constant(gather.input(1));
      TensorType type = types.get(gather.input(0));
      return index != null
          && index.rank() == 0
          && index.toLongs()[0] == 0
          && type != null
          && type.isFloatingPoint();
    }

    private @Nullable Shape shape(String value) {
      TensorType type = types.get(value);
      return type == null ? null : type.shape();
    }

    /** A Gather of one entry is a slice of length 1 without its axis. */
    private void split(Node gather, int rank) {
      long axis = gather.attribute("axis", 0L);
      int at = (int) (axis < 0 ? axis + rank : axis);
      String slice = slice(gather.input(0), at);
      graph.replace(
          gather,
          Node.of(
              gather.name() + "/Squeeze",
              "Squeeze",
              List.of(slice, longs("squeeze_axes", at)),
              List.of(gather.output(0))));
    }

    /** The slice of a value, made where the value is, before all that may read it too. */
    private String slice(String value, int axis) {
      Map<Integer, String> slices = sliceOf.computeIfAbsent(value, k -> new HashMap<>());
      String known = slices.get(axis);
      if (known != null) {
        return known;
      }
      String output = graph.freshName(value + "_first");
      Node slice =
          Node.of(
              output + "/Slice",
              "Slice",
              List.of(value, longs("starts", 0), longs("ends", 1), longs("axes", axis)),
              List.of(output));
      Node producer = graph.producer(value);
      if (producer == null) {
        graph.insertBefore(graph.nodes().get(0), slice);
      } else {
        graph.insertAfter(producer, slice);
      }
      slices.put(axis, output);
      axisOf.put(output, axis);
      return output;
    }

    private String longs(String what, long... values) {
      StringBuilder name = new StringBuilder("/first_token/" + what);
      for (long value : values) {
        name.append('_').append(value);
      }
      graph.putInitializer(Tensor.ofLongs(name.toString(), values, values.length));
      return name.toString();
    }

    /** The axis of which every reader of a value takes the first entry, or null. */
    private @Nullable Integer slicedAxis(String value) {
      List<Node> readers = graph.consumers(value);
      if (readers.size() != 1 || graph.isOutput(value)) {
        return null;
      }
      return axisOf.get(readers.get(0).output(0));
    }

    /**
     * For each input that has the axis, its number there; inputs that have not are left out. Null
     * where the selection cannot pass the node, or that is not known.
     */
    private @Nullable Map<Integer, Integer> inputAxes(Node node, int axis) {
      Shape output = shape(node.output(0));
      if (output == null || !node.domain().isEmpty()) {
        return null;
      }
      int rank = output.rank();
      if (Operators.all().has(node, Trait.ELEMENTWISE)) {
        return Map.of(0, axis);
      }
      if (Operators.all().has(node, Trait.BROADCASTING)) {
        return broadcastAxes(node, output, axis);
      }
      if (Operators.all().has(node, Trait.LAST_AXIS)) {
        boolean before = isLast(node.attribute("axis", -1L), rank) && axis < rank - 1;
        return before ? Map.of(0, axis) : null;
      }
      return switch (node.opType()) {
        case "MatMul" -> axis == rank - 2 ? rowsOfProduct(node, rank) : null;
        case "Transpose" -> {
          long[] permutation = node.longs("perm");
          yield permutation == null ? null : Map.of(0, (int) permutation[axis]);
        }
        case "Reshape" -> keepsLeadingAxes(node, output, axis) ? Map.of(0, axis) : null;
        default -> null;
      };
    }

    private static boolean isLast(long axis, int rank) {
      return axis == -1 || axis == rank - 1;
    }

    private @Nullable Map<Integer, Integer> broadcastAxes(Node node, Shape output, int axis) {
      Map<Integer, Integer> axes = new HashMap<>();
      for (int i = 0; i < node.inputs().size(); i++) {
        Shape operand = shape(node.input(i));
        if (operand == null) {
          return null;
        }
        int own = axis - (output.rank() - operand.rank());
        if (own < 0) {
          continue;
        }
        Shape.Dimension d = operand.dimension(own);
        if (d.surelyEquals(output.dimension(axis))) {
          axes.put(i, own);
        } else if (!d.isKnown() || d.size() != 1) {
          return null;
        }
      }
      return axes;
    }

    /** Rows of a product are rows of the left factor; both factors must be matrices or batches. */
    private @Nullable Map<Integer, Integer> rowsOfProduct(Node node, int rank) {
      Shape left = shape(node.input(0));
      Shape right = shape(node.input(1));
      boolean plain = left != null && right != null && left.rank() == rank && right.rank() >= 2;
      return plain ? Map.of(0, rank - 2) : null;
    }

    /** Whether the axes up to the selected one are the input's own, and the others are numbers. */
    private boolean keepsLeadingAxes(Node reshape, Shape output, int axis) {
      Shape input = shape(reshape.input(0));
      if (input == null || input.rank() <= axis) {
        return false;
      }
      for (int i = 0; i <= axis; i++) {
        if (!input.dimension(i).surelyEquals(output.dimension(i))) {
          return false;
        }
      }
      for (int i = axis + 1; i < output.rank(); i++) {
        if (!output.dimension(i).isKnown() || output.dimension(i).size() == 0) {
          return false;
        }
      }
      return true;
    }

    /** Puts the slice before the node: the node itself now makes what the slice made. */
    private void pass(Node node, int axis, Map<Integer, Integer> inputAxes) {
      String value = node.output(0);
      Node slice = graph.consumers(value).get(0);
      String sliced = slice.output(0);
      graph.remove(slice);
      List<String> inputs = new ArrayList<>(node.inputs());
      inputAxes.forEach((input, at) -> inputs.set(input, slice(node.input(input), at)));
      Node moved = node;
      if (node.is("Reshape")) {
        inputs.set(1, leadingKept(Objects.requireNonNull(shape(value)), axis));
        moved = node.without("allowzero");
      }
      graph.replace(node, moved.withInputs(inputs).withOutput(0, sliced));
      graph.removeValueInfo(value);
      axisOf.remove(sliced);
      Objects.requireNonNull(sliceOf.get(value)).remove(axis);
    }

    private String leadingKept(Shape output, int axis) {
      long[] target = new long[output.rank()];
      for (int i = axis + 1; i < target.length; i++) {
        target[i] = output.dimension(i).size();
      }
      return longs("shape", target);
    }
  }
}
