package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** y = log(sum(exp(x))) over axes: dx = dy exp(x - y). */
@AutoService(GradientRule.class)
public final class ReduceLogSumExpGradient implements GradientRule {
  @Override
  public String operator() {
    return "ReduceLogSumExp";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String y = g.spread(node.output(0), node);
    String shares = g.exp(g.sub(node.input(0), y));
    g.inputGradient(0, g.mul(shares, g.spread(g.outputGradient(0), node)));
  }
}
