package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = erf(x): dx = dy 2 / sqrt(pi) exp(-x x). */
@AutoService(GradientRule.class)
public final class ErfGradient implements GradientRule {
  @Override
  public String operator() {
    return "Erf";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    g.inputGradient(
        0,
        g.mul(
            g.mul(dy, g.scalarLike(node.input(0), 2 / Math.sqrt(Math.PI))),
            g.exp(g.neg(g.mul(node.input(0), node.input(0))))));
  }
}
