package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = a b: da = dy b, db = dy a, each summed to its operand's shape. */
@AutoService(GradientRule.class)
public final class MulGradient implements GradientRule {
  @Override
  public String operator() {
    return "Mul";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    for (int operand = 0; operand < 2; operand++) {
      if (g.needs(operand)) {
        String gradient = g.mul(dy, node.input(1 - operand));
        g.inputGradient(operand, g.sumTo(gradient, node.output(0), node.input(operand)));
      }
    }
  }
}
