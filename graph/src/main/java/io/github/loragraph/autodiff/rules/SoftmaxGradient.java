package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = softmax(x) along an axis: dx = y (dy - sum(dy y)). */
@AutoService(GradientRule.class)
public final class SoftmaxGradient implements GradientRule {
  @Override
  public String operator() {
    return "Softmax";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String y = node.output(0);
    String weighted = g.mul(dy, y);
    String sum = g.reduceSum(weighted, true, node.attribute("axis", -1L));
    g.inputGradient(0, g.mul(y, g.sub(dy, sum)));
  }
}
