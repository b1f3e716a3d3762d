package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** Axes repeated by broadcasting: dx is dy summed over them. */
@AutoService(GradientRule.class)
public final class ExpandGradient implements GradientRule {
  @Override
  public String operator() {
    return "Expand";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    g.inputGradient(0, g.sumTo(g.outputGradient(0), node.output(0), node.input(0)));
  }
}
