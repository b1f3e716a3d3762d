package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = log(1 + exp(x)): dx = dy sigmoid(x). */
@AutoService(GradientRule.class)
public final class SoftplusGradient implements GradientRule {
  @Override
  public String operator() {
    return "Softplus";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    g.inputGradient(0, g.mul(dy, g.op("Sigmoid", node.input(0))));
  }
}
