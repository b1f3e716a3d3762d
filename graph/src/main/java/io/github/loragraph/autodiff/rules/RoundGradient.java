package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** Rounding to the nearest whole number is constant between its steps: dx = 0, as in PyTorch. */
@AutoService(GradientRule.class)
public final class RoundGradient implements GradientRule {
  @Override
  public String operator() {
    return "Round";
  }

  @Override
  public boolean isZero() {
    return true;
  }

  @Override
  public void emit(Node node, GradientScope g) {
    throw new IllegalStateException("no gradient comes to " + node);
  }
}
