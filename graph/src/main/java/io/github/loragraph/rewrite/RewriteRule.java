package io.github.loragraph.rewrite;

import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;

/**
 * Replaces a piece of a graph by something equal. A rule holds no state. The graph is of the
 * operator set of {@link io.github.loragraph.onnx.GraphBuilder#OPSET}.
 */
interface RewriteRule {
  /** What is recognised, for people: {@code LayerNormalization}. */
  String name();

  /**
   * Tries the piece that ends at a node.
   *
   * @return a node that makes the same output, or null where the piece is something else; nodes
   *     that are left without readers are taken out later
   */
  Node rewrite(Graph graph, Node last);
}
