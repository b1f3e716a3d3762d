package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import java.util.Arrays;

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
              pads(node, g.sizes().int64(node.input(1)), g));
      g.inputGradient(0, g.gradientOfMoved(dy, moved, node.input(0)));
      return;
    }
    String opposite = g.sizes().subtract(g.longs(0), g.sizes().int64(node.input(1)));
    String inside = g.op("Pad", dy, pads(node, opposite, g));
    if (g.needs(0)) {
      g.inputGradient(0, inside);
    }
    if (g.needs(2)) {
      String around = g.sub(sum(dy, g), sum(inside, g));
      g.inputGradient(2, g.reshapeTo(around, node.input(2)));
    }
  }

  /** Of all axes, from those of the node's. */
  private static String pads(Node node, String pads, GradientScope g) {
    if (!node.hasInput(3)) {
      return pads;
    }
    long[] numbers = g.sizes().numbers(pads);
    String axes = g.sizes().int64(node.input(3));
    if (numbers != null) {
      int half = numbers.length / 2;
      return g.sizes()
          .pads(
              node.input(0),
              g.longs(Arrays.copyOf(numbers, half)),
              g.longs(Arrays.copyOfRange(numbers, half, numbers.length)),
              axes);
    }
    String rows = g.reshape(pads, 2, -1);
    String before = g.gather(rows, g.scalar(ElementType.INT64, 0), 0);
    String after = g.gather(rows, g.scalar(ElementType.INT64, 1), 0);
    return g.sizes().pads(node.input(0), before, after, axes);
  }

  private static String sum(String x, GradientScope g) {
    return g.reduce("ReduceSum", x, "", false);
  }
}
