package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** Axes of size 1 put in: dx = dy with them taken out. Both operators count axes in y. */
@AutoService(GradientRule.class)
public final class UnsqueezeGradient implements GradientRule {
  @Override
  public String operator() {
    return "Unsqueeze";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    g.inputGradient(0, g.op("Squeeze", g.outputGradient(0), node.input(1)));
  }
}
