package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = log(softmax(x)) along an axis: dx = dy - exp(y) sum(dy). */
@AutoService(GradientRule.class)
public final class LogSoftmaxGradient implements GradientRule {
  @Override
  public String operator() {
    return "LogSoftmax";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String sum = g.reduceSum(dy, true, node.attribute("axis", -1L));
    g.inputGradient(0, g.sub(dy, g.mul(g.exp(node.output(0)), sum)));
  }
}
