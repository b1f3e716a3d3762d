package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = cos(x): dx = -dy sin(x). */
@AutoService(GradientRule.class)
public final class CosGradient implements GradientRule {
  @Override
  public String operator() {
    return "Cos";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String x = node.input(0);
    g.inputGradient(0, g.neg(g.mul(dy, g.op("Sin", x))));
  }
}
