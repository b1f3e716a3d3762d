package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;

/** The mean over axes: dx = dy spread over them, divided by their size. */
@AutoService(GradientRule.class)
public final class ReduceMeanGradient implements GradientRule {
  @Override
  public String operator() {
    return "ReduceMean";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String x = node.input(0);
    // Of a mean without entries there is nothing to spread, but whole numbers are not divided by 0.
    String means = g.op("Max", g.op("Size", node.output(0)), g.scalar(ElementType.INT64, 1));
    String count = g.div(g.op("Size", x), means);
    String share = g.div(g.outputGradient(0), g.cast(count, g.elementType(x)));
    g.inputGradient(0, g.spread(share, node));
  }
}
