package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = log(x): dx = dy / x. */
@AutoService(GradientRule.class)
public final class LogGradient implements GradientRule {
  @Override
  public String operator() {
    return "Log";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    g.inputGradient(0, g.div(dy, node.input(0)));
  }
}
