package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = a / b: da = dy / b, db = -dy y / b, each summed to its operand's shape. */
@AutoService(GradientRule.class)
public final class DivGradient implements GradientRule {
  @Override
  public String operator() {
    return "Div";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String scaled = g.div(dy, node.input(1));
    if (g.needs(0)) {
      g.inputGradient(0, g.sumTo(scaled, node.output(0), node.input(0)));
    }
    if (g.needs(1)) {
      String gradient = g.mul(scaled, node.output(0));
      g.inputGradient(1, g.neg(g.sumTo(gradient, node.output(0), node.input(1))));
    }
  }
}
