package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = max(0, min(1, alpha x + beta)): dx = alpha dy strictly between the bounds. */
@AutoService(GradientRule.class)
public final class HardSigmoidGradient implements GradientRule {
  @Override
  public String operator() {
    return "HardSigmoid";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String x = node.input(0);
    String y = node.output(0);
    String above = g.op("Greater", y, g.scalarLike(x, 0));
    String below = g.op("Less", y, g.scalarLike(x, 1));
    String inside = g.op("And", above, below);
    String slope = g.mul(dy, g.scalarLike(x, node.attribute("alpha", 0.2f)));
    g.inputGradient(0, g.where(inside, slope, g.scalarLike(x, 0)));
  }
}
