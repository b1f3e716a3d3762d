package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** The sum of absolute values over axes: dx = dy sign(x). */
@AutoService(GradientRule.class)
public final class ReduceL1Gradient implements GradientRule {
  @Override
  public String operator() {
    return "ReduceL1";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String signs = g.op("Sign", node.input(0));
    g.inputGradient(0, g.mul(signs, g.spread(g.outputGradient(0), node)));
  }
}
