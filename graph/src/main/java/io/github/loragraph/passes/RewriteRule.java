package io.github.loragraph.passes;

import io.github.loragraph.onnx.Node;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One simplification of a graph, tried at every node. A rule holds no state. */
interface RewriteRule {
  /** The name under which recognitions are counted. */
  String name();

  /**
   * Looks at a node and at what stands before it.
   *
   * @return what to put down in the place of the node, or null where the rule does not apply. It
   *     must make the node's outputs, and may read every value that was there before the node.
   */
  @Nullable Consumer<RewriteBuilder> match(Node node, MatchContext context);
}
