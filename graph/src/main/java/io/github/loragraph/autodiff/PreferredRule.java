package io.github.loragraph.autodiff;

import io.github.loragraph.onnx.Node;

/**
 * Two rules for the same operator: the first, and for nodes that it does not cover the second.
 *
 * @param first a rule over fused kernels
 * @param second the operator's standard rule
 */
record PreferredRule(GradientRule first, GradientRule second) implements GradientRule {
  @Override
  public String operator() {
    return second.operator();
  }

  @Override
  public String domain() {
    return second.domain();
  }

  @Override
  public Kernels kernels() {
    return first.kernels();
  }

  @Override
  public String refusal(Node node, GradientScope g) {
    return first.refusal(node, g) == null ? null : second.refusal(node, g);
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
  public void emit(Node node, GradientScope g) {
    (first.refusal(node, g) == null ? first : second).emit(node, g);
  }
}
