package io.github.loragraph.autodiff;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.FunctionBody;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.TypedGraphBuilder;
import io.github.loragraph.shape.ValueTypes;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Puts the bodies of operators in their places, where a gradient has to go through and the operator
 * has none of its own. Nodes off the path stay: a runtime computes them faster as they are.
 */
final class FunctionInlining {
  private FunctionInlining() {}

  /** The nodes on a path whose bodies have to be put down. */
  static List<Node> candidates(Graph graph, Set<String> path, Kernels kernels) {
    return graph.nodes().stream()
        .filter(node -> node.outputs().stream().anyMatch(path::contains))
        .filter(node -> body(node, kernels) != null)
        .toList();
  }

  private static @Nullable FunctionBody body(Node node, Kernels kernels) {
    Operator operator = Operators.all().of(node);
    if (operator == null || operator.gradient(kernels) != null) {
      return null;
    }
    FunctionBody body = operator.body();
    return body != null && body.covers(node) ? body : null;
  }

  /**
   * Replaces nodes by their bodies. The values that they made keep their names.
   *
   * @param graph is changed
   */
  static void inline(Graph graph, ValueTypes types, List<Node> nodes, Kernels kernels) {
    for (Node node : nodes) {
      int before = graph.nodes().size();
      TypedGraphBuilder builder = new TypedGraphBuilder(graph, node.name(), types);
      String result = Objects.requireNonNull(body(node, kernels)).write(node, builder);
      graph.moveTail(before, node);
      // A value is made once: the node goes before its result takes the name.
      graph.remove(node);
      graph.rename(result, node.output(0));
    }
  }
}
