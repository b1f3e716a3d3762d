package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** Another floating-point type: dx = dy in the type of x. */
@AutoService(GradientRule.class)
public final class CastGradient implements GradientRule {
  @Override
  public String operator() {
    return "Cast";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    g.inputGradient(0, g.cast(dy, g.elementType(node.input(0))));
  }
}
