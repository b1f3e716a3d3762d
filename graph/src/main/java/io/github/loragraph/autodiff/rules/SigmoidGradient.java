package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = 1 / (1 + exp(-x)): dx = dy y (1 - y). */
@AutoService(GradientRule.class)
public final class SigmoidGradient implements GradientRule {
  @Override
  public String operator() {
    return "Sigmoid";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String x = node.input(0);
    String y = node.output(0);
    g.inputGradient(0, g.mul(dy, g.mul(y, g.sub(g.scalarLike(x, 1), y))));
  }
}
