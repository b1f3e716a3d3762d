package io.github.loragraph.passes;

import io.github.loragraph.onnx.Node;
import java.util.Set;

/** How nodes of an operator are written since a version of the standard operator set. */
interface OperatorChange {
  /** The operators whose definition changed, as their nodes name them. */
  Set<String> operators();

  /** The version since which they are written anew. */
  int since();

  /**
   * A node in the new form with the same outputs. Nodes before it may be put down with {@code
   * rewriting}.
   *
   * @throws io.github.loragraph.error.LoraGraphException if the node cannot be written so
   */
  Node convert(Node node, Subject subject, Rewriting rewriting);
}
