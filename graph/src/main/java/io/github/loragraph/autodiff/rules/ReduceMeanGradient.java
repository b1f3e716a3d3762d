package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
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
    String dy = g.outputGradient(0);
    String x = node.input(0);
    String shape = g.shape(x);
    String kept = dy;
    if (node.attribute("keepdims", 1L) == 0 && node.hasInput(1)) {
      kept = g.op("Unsqueeze", dy, node.input(1));
    }
    String gradient = g.expand(kept, shape);
    String count = g.div(g.op("Size", x), g.op("Size", node.output(0)));
    g.inputGradient(0, g.div(gradient, g.cast(count, g.elementType(x))));
  }
}
