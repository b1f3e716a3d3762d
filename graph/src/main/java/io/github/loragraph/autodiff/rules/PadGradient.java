package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/**
 * Entries put around x, or cut off where a number is negative. With a constant around, dx is dy
 * with the opposite padding and the constant gets all the rest of dy; otherwise the entries around
 * are copies of entries of x, whose gradients are added to theirs.
 */
@AutoService(GradientRule.class)
public final class PadGradient implements GradientRule {
  @Override
  public String operator() {
    return "Pad";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String dy = g.outputGradient(0);
    String mode = node.attribute("mode", "constant");
    if (!mode.equals("constant")) {
      String moved =
          g.op(
              "Pad",
              n -> n.with("mode", mode),
              g.positions(node.input(0)),
              node.input(1),
              "",
              node.input(3));
      g.inputGradient(0, g.gradientOfMoved(dy, moved, node.input(0)));
      return;
    }
    String opposite = g.sizes().subtract(g.longs(0), g.sizes().int64(node.input(1)));
    String inside = g.op("Pad", dy, opposite, "", node.input(3));
    if (g.needs(0)) {
      g.inputGradient(0, inside);
    }
    if (g.needs(2)) {
      String around = g.sub(sum(dy, g), sum(inside, g));
      g.inputGradient(2, g.reshapeTo(around, node.input(2)));
    }
  }

  private static String sum(String x, GradientScope g) {
    return g.reduce("ReduceSum", x, "", false);
  }
}
