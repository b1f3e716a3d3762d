package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = a - b: da = dy, db = -dy, each summed to its operand's shape. */
@AutoService(GradientRule.class)
public final class SubGradient implements GradientRule {
  @Override
  public String operator() {
    return "Sub";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    if (g.needs(0)) {
      g.inputGradient(0, g.sumTo(dy, node.output(0), node.input(0)));
    }
    if (g.needs(1)) {
      g.inputGradient(1, g.neg(g.sumTo(dy, node.output(0), node.input(1))));
    }
  }
}
