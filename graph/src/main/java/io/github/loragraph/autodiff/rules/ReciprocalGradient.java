package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = 1 / x: dx = -dy y y. */
@AutoService(GradientRule.class)
public final class ReciprocalGradient implements GradientRule {
  @Override
  public String operator() {
    return "Reciprocal";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String y = node.output(0);
    g.inputGradient(0, g.neg(g.mul(dy, g.mul(y, y))));
  }
}
