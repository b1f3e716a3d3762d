package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** Running sums along an axis: dx is the running sum of dy in the other direction. */
@AutoService(GradientRule.class)
public final class CumSumGradient implements GradientRule {
  @Override
  public String operator() {
    return "CumSum";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    boolean reverse = node.attribute("reverse", 0L) != 0;
    String gradient =
        g.op(
            "CumSum",
            n ->
                n.with("exclusive", node.attribute("exclusive", 0L))
                    .with("reverse", reverse ? 0 : 1),
            g.outputGradient(0),
            node.input(1));
    g.inputGradient(0, gradient);
  }
}
