package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;

/** x with a margin of zeros or another constant: dx = dy without the margin. */
@AutoService(GradientRule.class)
public final class PadGradient implements GradientRule {
  @Override
  public String operator() {
    return "Pad";
  }

  @Override
  public String refusal(Node node, GradientScope g) {
    return node.attribute("mode", "constant").equals("constant")
        ? null
        : "in another mode than constant";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String x = node.input(0);
    String pads = node.input(1);
    String axes =
        node.hasInput(3)
            ? g.cast(node.input(3), ElementType.INT64)
            : g.op("Range", index(0, g), g.squeeze(g.shape(g.shape(x)), 0), index(1, g));
    String count = g.shape(axes);
    String before = g.op("Slice", pads, g.longs(0), count);
    String end = g.add(before, g.gather(g.shape(x), axes, 0));
    g.inputGradient(0, g.op("Slice", g.outputGradient(0), before, end, axes));
  }

  private static String index(long value, GradientScope g) {
    return g.scalar(ElementType.INT64, value);
  }
}
