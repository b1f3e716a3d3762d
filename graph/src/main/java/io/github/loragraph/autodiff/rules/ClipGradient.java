package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/**
 * x kept between bounds: dx = dy where x is within them, bounds included, as in PyTorch. The bounds
 * get no gradient.
 */
@AutoService(GradientRule.class)
public final class ClipGradient implements GradientRule {
  @Override
  public String operator() {
    return "Clip";
  }

  @Override
  public String refusal(Node node, GradientScope g) {
    return g.needs(1) || g.needs(2) ? "with trained bounds" : null;
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String x = node.input(0);
    String within = null;
    if (node.hasInput(1)) {
      within = g.op("GreaterOrEqual", x, node.input(1));
    }
    if (node.hasInput(2)) {
      String below = g.op("LessOrEqual", x, node.input(2));
      within = within == null ? below : g.op("And", within, below);
    }
    String dy = g.outputGradient(0);
    g.inputGradient(0, within == null ? dy : g.where(within, dy, g.scalarLike(x, 0)));
  }
}
