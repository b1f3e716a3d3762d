package io.github.loragraph.passes;

import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.function.Consumer;

/** The value of a {@code Constant} node becomes an initializer of the same name. */
final class ConstantNodes implements RewriteRule {
  @Override
  public String name() {
    return "ConstantNodes";
  }

  @Override
  public Consumer<Rewriting> match(Node node, Subject subject) {
    if (!node.is("Constant") || subject.graph().isOutput(node.output(0))) {
      return null;
    }
    Tensor value = subject.graph().constant(node.output(0));
    return value == null ? null : rewriting -> rewriting.constant(node.output(0), value);
  }
}
