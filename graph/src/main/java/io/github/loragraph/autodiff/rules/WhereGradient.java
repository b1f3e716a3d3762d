package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = c ? a : b: each gets dy where it was taken, zero elsewhere, summed to its shape. */
@AutoService(GradientRule.class)
public final class WhereGradient implements GradientRule {
  @Override
  public String operator() {
    return "Where";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String zero = g.scalarLike(node.output(0), 0);
    if (g.needs(1)) {
      String taken = g.where(node.input(0), dy, zero);
      g.inputGradient(1, g.sumTo(taken, node.output(0), node.input(1)));
    }
    if (g.needs(2)) {
      String taken = g.where(node.input(0), zero, dy);
      g.inputGradient(2, g.sumTo(taken, node.output(0), node.input(2)));
    }
  }
}
