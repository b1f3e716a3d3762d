package io.github.loragraph.rewrite;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import java.util.List;

/** Turns off the Dropout nodes that an export in training mode leaves switched on. */
final class Dropout {
  private Dropout() {}

  /** The model in which every Dropout passes on its input; the given one is left as it is. */
  static OnnxModel removedFrom(OnnxModel model) {
    Graph graph = model.graph().copy();
    for (Node node : List.copyOf(graph.nodes())) {
      if (node.is("Dropout") && maskUnused(graph, node)) {
        Node identity =
            Node.of(node.name(), "Identity", List.of(node.input(0)), List.of(node.output(0)));
        graph.replace(node, identity);
      }
    }
    graph.removeDeadNodes();
    return model.withGraph(graph);
  }

  private static boolean maskUnused(Graph graph, Node node) {
    return !node.hasOutput(1)
        || (graph.consumers(node.output(1)).isEmpty() && !graph.isOutput(node.output(1)));
  }
}
