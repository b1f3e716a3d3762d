package io.github.loragraph.passes;

import io.github.loragraph.onnx.Node;
import java.util.function.Consumer;

/**
 * Readers of an {@code Identity} read its input. One whose input or output is trainable stays:
 * there the two names are two parameters.
 */
final class IdentityRemoval implements RewriteRule {
  @Override
  public String name() {
    return "IdentityRemoval";
  }

  @Override
  public Consumer<Rewriting> match(Node node, Subject subject) {
    if (!node.is("Identity")
        || subject.trainable().contains(node.input(0))
        || subject.trainable().contains(node.output(0))
        || !isForwarded(node, subject)) {
      return null;
    }
    return rewriting -> rewriting.forward(node.output(0), node.input(0));
  }

  /** Graph outputs and values that a subgraph takes from outside keep their names. */
  private static boolean isForwarded(Node node, Subject subject) {
    String output = node.output(0);
    return !subject.graph().isOutput(output)
        && subject.graph().consumers(output).stream()
            .anyMatch(reader -> reader.inputs().contains(output))
        && subject.graph().consumers(output).stream().noneMatch(Node::hasSubgraph);
  }
}
