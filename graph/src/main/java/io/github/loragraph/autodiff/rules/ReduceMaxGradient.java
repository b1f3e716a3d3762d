package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** The largest over axes. As in PyTorch's amax and amin, entries that are equal share dy evenly. */
@AutoService(GradientRule.class)
public final class ReduceMaxGradient implements GradientRule {
  @Override
  public String operator() {
    return "ReduceMax";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String x = node.input(0);
    String y = g.spread(node.output(0), node);
    String chosen = g.cast(g.op("Equal", x, y), g.elementType(x));
    String axes = node.hasInput(1) ? node.input(1) : "";
    String count = g.reduce("ReduceSum", chosen, axes, true);
    String dy = g.spread(g.outputGradient(0), node);
    g.inputGradient(0, g.div(g.mul(dy, chosen), count));
  }
}
