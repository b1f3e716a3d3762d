package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = max(x, 0): dx = dy where y is positive. */
@AutoService(GradientRule.class)
public final class ReluGradient implements GradientRule {
  @Override
  public String operator() {
    return "Relu";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String x = node.input(0);
    String y = node.output(0);
    String positive = g.op("Greater", y, g.scalarLike(x, 0));
    g.inputGradient(0, g.where(positive, dy, g.scalarLike(x, 0)));
  }
}
