package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;

/** y = x^c with a constant c: dx = dy c x^(c - 1). */
@AutoService(GradientRule.class)
public final class PowGradient implements GradientRule {
  @Override
  public String operator() {
    return "Pow";
  }

  @Override
  public String refusal(Node node, GradientScope g) {
    Tensor exponent = g.constant(node.input(1));
    return exponent != null && exponent.elementCount() == 1 ? null : "with a variable exponent";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    double exponent = g.constant(node.input(1)).toDoubles()[0];
    String x = node.input(0);
    String power = exponent == 2 ? x : g.pow(x, g.scalarLike(node.input(1), exponent - 1));
    g.inputGradient(0, g.mul(dy, g.mul(power, g.scalarLike(x, exponent))));
  }
}
