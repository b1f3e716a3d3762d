package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** Any reshaping: dx = dy in the shape of x. */
@AutoService(GradientRule.class)
public final class ReshapeGradient implements GradientRule {
  @Override
  public String operator() {
    return "Reshape";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    g.inputGradient(0, g.reshapeTo(g.outputGradient(0), node.output(0), node.input(0)));
  }
}
