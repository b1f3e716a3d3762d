package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/**
 * Axes of size 1 taken out: dx = dy with them put in again. Both operators count axes in x. Where
 * the node names none, dy takes the shape of x.
 */
@AutoService(GradientRule.class)
public final class SqueezeGradient implements GradientRule {
  @Override
  public String operator() {
    return "Squeeze";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    g.inputGradient(
        0,
        node.hasInput(1)
            ? g.op("Unsqueeze", dy, node.input(1))
            : g.reshapeTo(dy, node.output(0), node.input(0)));
  }
}
