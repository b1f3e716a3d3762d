package io.github.loragraph.passes;

import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The value of a {@code Constant} node becomes an initializer of the same name. */
final class ConstantNodes implements RewriteRule {
  @Override
  public String name() {
    return "ConstantNodes";
  }

  @Override
  public @Nullable Consumer<RewriteBuilder> match(Node node, MatchContext context) {
    if (!node.is("Constant") || context.graph().isOutput(node.output(0))) {
      return null;
    }
    Tensor value = context.graph().constant(node.output(0));
    return value == null ? null : builder -> builder.constant(node.output(0), value);
  }
}
