package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = x: dx = dy. */
@AutoService(GradientRule.class)
public final class IdentityGradient implements GradientRule {
  @Override
  public String operator() {
    return "Identity";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    g.inputGradient(0, dy);
  }
}
