package io.github.loragraph.rewrite;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.autodiff.ShapeInference;
import io.github.loragraph.autodiff.SymbolicShapes;
import io.github.loragraph.autodiff.ValueTypes;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Brings a model of the operator sets 11 to 19 to {@link GraphBuilder#OPSET}. Of the operators
 * whose definition has changed in between, those are rewritten that encoders have; sources are the
 * version histories of the ONNX operator specification.
 */
final class OpsetUpgrade {
  private static final int OLDEST = 11;

  /** Axes are an input since 13. */
  private static final Set<String> AXES_INPUT_SINCE_13 =
      Set.of("ReduceSum", "Squeeze", "Unsqueeze");

  /** Axes are an input since 18. */
  private static final Set<String> AXES_INPUT_SINCE_18 =
      Set.of(
          "ReduceMean",
          "ReduceMax",
          "ReduceMin",
          "ReduceProd",
          "ReduceL1",
          "ReduceL2",
          "ReduceLogSum",
          "ReduceLogSumExp",
          "ReduceSumSquare");

  /** Before 13 these look at their input as a matrix, split at the axis. */
  private static final Set<String> SOFTMAX = Set.of("Softmax", "LogSoftmax", "Hardmax");

  private final Graph graph;
  private final int from;
  private final ValueTypes types;

  private OpsetUpgrade(Graph graph, int from, ValueTypes types) {
    this.graph = graph;
    this.from = from;
    this.types = types;
  }

  /**
   * The model at {@link GraphBuilder#OPSET}, or at its own operator set where that is newer. The
   * given model is left as it is.
   *
   * @throws LoraGraphException if the operator set is older than 11
   */
  static OnnxModel upgrade(OnnxModel source, ShapeInference inference) {
    int from = source.opset();
    if (from < OLDEST) {
      throw new LoraGraphException(
          "the model is of operator set %d: export it with operator set %d or newer to train it"
              .formatted(from, OLDEST));
    }
    Graph graph = source.graph().copy();
    OnnxModel model = source.withGraph(graph);
    if (from < GraphBuilder.OPSET) {
      ValueTypes types = SymbolicShapes.refine(graph, inference.infer(source));
      OpsetUpgrade upgrade = new OpsetUpgrade(graph, from, types);
      List.copyOf(graph.nodes()).forEach(upgrade::upgrade);
      model = model.withOpset("", GraphBuilder.OPSET);
    }
    // Operator sets 15 to 20 came with the versions 8 and 9 of the file format.
    return model.irVersion() < 9 ? model.withIrVersion(9) : model;
  }

  private void upgrade(Node node) {
    if (!node.domain().isEmpty()) {
      return;
    }
    String op = node.opType();
    if ((from < 13 && AXES_INPUT_SINCE_13.contains(op))
        || (from < 18 && AXES_INPUT_SINCE_18.contains(op))) {
      axesToInput(node);
    } else if (from < 13 && op.equals("Split") && node.hasAttribute("split")) {
      splitToInput(node);
    } else if (from < 18
        && op.equals("Split")
        && !node.hasInput(1)
        && !node.hasAttribute("split")) {
      graph.replace(node, node.with("num_outputs", node.outputs().size()));
    } else if (from < 13 && SOFTMAX.contains(op)) {
      softmax(node);
    } else if (from < 12 && op.equals("Dropout") && node.hasAttribute("ratio")) {
      dropout(node);
    }
  }

  /** Reductions also get their axes counted from the end, as patterns have them. */
  private void axesToInput(Node node) {
    long[] axes = node.longs("axes");
    if (axes == null) {
      return;
    }
    TensorType type = types.get(node.input(0));
    Shape shape = type == null ? null : type.shape();
    boolean reduction = node.opType().startsWith("Reduce");
    for (int i = 0; i < axes.length; i++) {
      if (reduction && shape != null && axes[i] >= 0) {
        axes[i] -= shape.rank();
      }
    }
    Tensor tensor = Tensor.ofLongs(graph.freshName(node.output(0) + "_axes"), axes, axes.length);
    graph.putInitializer(tensor);
    graph.replace(node, node.without("axes").withInputs(List.of(node.input(0), tensor.name())));
  }

  private void splitToInput(Node node) {
    long[] sizes = node.longs("split");
    Tensor tensor = Tensor.ofLongs(graph.freshName(node.output(0) + "_split"), sizes, sizes.length);
    graph.putInitializer(tensor);
    graph.replace(node, node.without("split").withInputs(List.of(node.input(0), tensor.name())));
  }

  /**
   * Over the last axis both definitions agree. Else the old one is spelled out: flatten to a
   * matrix, take it over the rows, go back to the shape.
   */
  private void softmax(Node node) {
    TensorType type = types.get(node.input(0));
    int rank = type == null || type.shape() == null ? -1 : type.shape().rank();
    long axis = node.attribute("axis", 1L);
    if (axis == -1 || (rank >= 0 && axis == rank - 1)) {
      graph.replace(node, node.with("axis", -1));
      return;
    }
    String x = node.input(0);
    String y = node.output(0);
    String flat = graph.freshName(y + "_flat");
    String soft = graph.freshName(y + "_rows");
    String shape = graph.freshName(y + "_shape");
    List<Node> nodes = new ArrayList<>();
    nodes.add(
        Node.of(node.name() + "/Flatten", "Flatten", List.of(x), List.of(flat)).with("axis", axis));
    nodes.add(Node.of(node.name(), node.opType(), List.of(flat), List.of(soft)).with("axis", -1));
    nodes.add(Node.of(node.name() + "/Shape", "Shape", List.of(x), List.of(shape)));
    nodes.forEach(n -> graph.insertBefore(node, n));
    graph.replace(
        node, Node.of(node.name() + "/Reshape", "Reshape", List.of(soft, shape), List.of(y)));
  }

  private void dropout(Node node) {
    Tensor ratio =
        Tensor.scalar(
            graph.freshName(node.output(0) + "_ratio"),
            ElementType.FLOAT,
            node.attribute("ratio", 0.5f));
    graph.putInitializer(ratio);
    graph.replace(node, node.without("ratio").withInputs(List.of(node.input(0), ratio.name())));
  }
}
