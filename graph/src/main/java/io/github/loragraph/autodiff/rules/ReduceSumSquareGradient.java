package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** The sum of squares over axes: dx = 2 x dy. */
@AutoService(GradientRule.class)
public final class ReduceSumSquareGradient implements GradientRule {
  @Override
  public String operator() {
    return "ReduceSumSquare";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String x = node.input(0);
    String dy = g.spread(g.outputGradient(0), node);
    g.inputGradient(0, g.mul(g.mul(x, g.scalarLike(x, 2)), dy));
  }
}
