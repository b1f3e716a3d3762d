package io.github.loragraph;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;

/** Classifiers without their heads. */
final class Encoders {
  private Encoders() {}

  /**
   * What remains of a classifier up to its last LayerNormalization.
   *
   * @param hidden numbers for each token
   * @return a model with one output, of shape (batch, tokens, hidden)
   */
  static OnnxModel of(OnnxModel classifier, int hidden) {
    Graph graph = classifier.graph().copy();
    String states =
        graph.nodes().stream()
            .filter(node -> node.is("LayerNormalization"))
            .reduce((first, second) -> second)
            .orElseThrow()
            .output(0);
    graph.clearOutputs();
    graph.addOutput(ValueInfo.of(states, TensorType.of(ElementType.FLOAT, -1, -1, hidden)));
    graph.removeDeadNodes();
    return classifier.withGraph(graph);
  }
}
