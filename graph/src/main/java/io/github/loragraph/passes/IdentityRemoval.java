package io.github.loragraph.passes;

import io.github.loragraph.onnx.Node;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

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
  public @Nullable Consumer<RewriteBuilder> match(Node node, MatchContext context) {
    if (!node.is("Identity")
        || context.trainable().contains(node.input(0))
        || context.trainable().contains(node.output(0))
        || !isForwarded(node, context)) {
      return null;
    }
    return builder -> builder.forward(node.output(0), node.input(0));
  }

  /** Graph outputs and values that a subgraph takes from outside keep their names. */
  private static boolean isForwarded(Node node, MatchContext context) {
    String output = node.output(0);
    return !context.graph().isOutput(output)
        && context.graph().consumers(output).stream()
            .anyMatch(reader -> reader.inputs().contains(output))
        && context.graph().consumers(output).stream().noneMatch(Node::hasSubgraph);
  }
}
