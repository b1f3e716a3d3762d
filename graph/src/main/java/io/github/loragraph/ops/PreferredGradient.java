package io.github.loragraph.ops;

import io.github.loragraph.onnx.Node;
import org.jspecify.annotations.Nullable;

/**
 * Two rules for the same operator: the first, and for nodes that it does not cover the second.
 *
 * @param first a rule over fused kernels
 * @param second the operator's standard rule
 */
public record PreferredGradient(Gradient first, Gradient second) implements Gradient {
  @Override
  public @Nullable String unsupportedReason(Node node, GradientContext g) {
    return first.unsupportedReason(node, g) == null ? null : second.unsupportedReason(node, g);
  }

  @Override
  public boolean takes(int output) {
    return first.takes(output) && second.takes(output);
  }

  @Override
  public boolean isZero() {
    return second.isZero();
  }

  @Override
  public boolean passesIntegers() {
    return second.passesIntegers();
  }

  @Override
  public void emit(Node node, GradientContext g) {
    (first.unsupportedReason(node, g) == null ? first : second).emit(node, g);
  }
}
