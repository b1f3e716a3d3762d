package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = |x|: dx = dy sign(x), 0 at 0. */
@AutoService(GradientRule.class)
public final class AbsGradient implements GradientRule {
  @Override
  public String operator() {
    return "Abs";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String x = node.input(0);
    g.inputGradient(0, g.mul(dy, g.op("Sign", x)));
  }
}
