package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = sqrt(x): dx = dy / (2 y). */
@AutoService(GradientRule.class)
public final class SqrtGradient implements GradientRule {
  @Override
  public String operator() {
    return "Sqrt";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    g.inputGradient(0, g.div(g.mul(dy, g.scalarLike(node.input(0), 0.5)), node.output(0)));
  }
}
