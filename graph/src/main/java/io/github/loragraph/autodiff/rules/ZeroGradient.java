package io.github.loragraph.autodiff.rules;

import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** The rule of an operator that is constant between its steps: dx = 0, as in PyTorch. */
abstract class ZeroGradient implements GradientRule {
  @Override
  public final boolean isZero() {
    return true;
  }

  @Override
  public final void emit(Node node, GradientScope g) {
    throw new IllegalStateException("no gradient comes to " + node);
  }
}
