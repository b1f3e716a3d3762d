package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = the root of the sum of squares over axes: dx = dy x / y, and 0 where y is 0. */
@AutoService(GradientRule.class)
public final class ReduceL2Gradient implements GradientRule {
  @Override
  public String operator() {
    return "ReduceL2";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String x = node.input(0);
    String y = node.output(0);
    String zero = g.scalarLike(x, 0);
    String none = g.op("Equal", y, zero);
    String ratio = g.div(g.outputGradient(0), g.where(none, g.scalarLike(x, 1), y));
    g.inputGradient(0, g.mul(x, g.spread(g.where(none, zero, ratio), node)));
  }
}
