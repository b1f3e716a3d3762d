package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** Any reshaping: dx = dy in the shape of x. */
@AutoService(GradientRule.class)
public final class FlattenGradient implements GradientRule {
  @Override
  public String operator() {
    return "Flatten";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String shape = g.shape(node.input(0));
    g.inputGradient(0, g.op("Reshape", n -> n.with("allowzero", 1), g.outputGradient(0), shape));
  }
}
