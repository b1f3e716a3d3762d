package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** Axes of size 1 put in: dx = dy in the shape of x. */
@AutoService(GradientRule.class)
public final class UnsqueezeGradient implements GradientRule {
  @Override
  public String operator() {
    return "Unsqueeze";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    g.inputGradient(0, g.op("Reshape", n -> n.with("allowzero", 1), dy, g.shape(node.input(0))));
  }
}
