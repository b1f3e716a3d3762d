package io.github.loragraph.passes;

import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.TensorType;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A {@code Cast} to the type that its input has already is an {@code Identity}. */
final class NoOpCast implements RewriteRule {
  @Override
  public String name() {
    return "NoOpCast";
  }

  @Override
  public @Nullable Consumer<RewriteBuilder> match(Node node, MatchContext context) {
    if (!node.is("Cast")) {
      return null;
    }
    TensorType type = context.types().get(node.input(0));
    if (type == null || type.elementType().code() != node.attribute("to", -2L)) {
      return null;
    }
    return builder -> builder.forward(node.output(0), node.input(0));
  }
}
