package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = the sum of all inputs: each gets dy, summed to its shape. */
@AutoService(GradientRule.class)
public final class SumGradient implements GradientRule {
  @Override
  public String operator() {
    return "Sum";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    for (int i = 0; i < node.inputs().size(); i++) {
      if (g.needs(i)) {
        g.inputGradient(i, g.sumTo(g.outputGradient(0), node.output(0), node.input(i)));
      }
    }
  }
}
