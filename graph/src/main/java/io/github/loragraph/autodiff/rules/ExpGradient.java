package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = exp(x): dx = dy y. */
@AutoService(GradientRule.class)
public final class ExpGradient implements GradientRule {
  @Override
  public String operator() {
    return "Exp";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    g.inputGradient(0, g.mul(dy, node.output(0)));
  }
}
