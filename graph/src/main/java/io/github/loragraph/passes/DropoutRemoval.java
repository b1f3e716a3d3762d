package io.github.loragraph.passes;

import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Turns every {@code Dropout} off, in training mode too: the output is the input, the mask is true
 * everywhere. It changes what a model that was exported for training computes.
 */
final class DropoutRemoval implements RewriteRule {
  @Override
  public String name() {
    return "DropoutRemoval";
  }

  @Override
  public @Nullable Consumer<RewriteBuilder> match(Node node, MatchContext context) {
    if (!node.is("Dropout")) {
      return null;
    }
    return builder -> {
      if (node.hasOutput(1)) {
        Tensor yes = Tensor.ofBooleans("value", new boolean[] {true}, 1);
        String shape = builder.shape(node.input(0));
        String mask = builder.op("ConstantOfShape", n -> n.with("value", yes), shape);
        builder.forward(node.output(1), mask);
      }
      builder.forward(node.output(0), node.input(0));
    };
  }
}
