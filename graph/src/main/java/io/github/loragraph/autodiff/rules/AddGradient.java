package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = a + b: both operands get dy, summed to their shapes. */
@AutoService(GradientRule.class)
public final class AddGradient implements GradientRule {
  @Override
  public String operator() {
    return "Add";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    for (int operand = 0; operand < 2; operand++) {
      if (g.needs(operand)) {
        g.inputGradient(operand, g.sumTo(dy, node.output(0), node.input(operand)));
      }
    }
  }
}
