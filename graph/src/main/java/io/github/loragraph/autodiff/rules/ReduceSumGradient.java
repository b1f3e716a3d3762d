package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** The sum over axes: dx = dy spread over them. */
@AutoService(GradientRule.class)
public final class ReduceSumGradient implements GradientRule {
  @Override
  public String operator() {
    return "ReduceSum";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    g.inputGradient(0, g.spread(g.outputGradient(0), node));
  }
}
