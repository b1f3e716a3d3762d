package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = tanh(x): dx = dy (1 - y y) = dy - dy y y. */
@AutoService(GradientRule.class)
public final class TanhGradient implements GradientRule {
  @Override
  public String operator() {
    return "Tanh";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    g.inputGradient(0, g.sub(dy, g.mul(dy, g.mul(node.output(0), node.output(0)))));
  }
}
