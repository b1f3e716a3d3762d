package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = x where x is positive, alpha (exp(x) - 1) elsewhere, whose derivative is y + alpha. */
@AutoService(GradientRule.class)
public final class EluGradient implements GradientRule {
  @Override
  public String operator() {
    return "Elu";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String x = node.input(0);
    String y = node.output(0);
    String positive = g.op("Greater", x, g.scalarLike(x, 0));
    String slope = g.add(y, g.scalarLike(x, node.attribute("alpha", 1f)));
    g.inputGradient(0, g.where(positive, dy, g.mul(dy, slope)));
  }
}
