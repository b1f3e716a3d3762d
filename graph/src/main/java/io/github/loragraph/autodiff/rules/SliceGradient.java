package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Tensor;
import java.util.Arrays;

/** A part of x: dx is dy with zeros around it. */
@AutoService(GradientRule.class)
public final class SliceGradient implements GradientRule {
  @Override
  public String operator() {
    return "Slice";
  }

  @Override
  public String refusal(Node node, GradientScope g) {
    Tensor starts = g.constant(node.input(1));
    Tensor ends = g.constant(node.input(2));
    Tensor steps = node.hasInput(4) ? g.constant(node.input(4)) : null;
    boolean unit =
        !node.hasInput(4)
            || (steps != null && Arrays.stream(steps.toLongs()).allMatch(s -> s == 1));
    return starts != null && ends != null && unit ? null : "with computed places or steps";
  }

  /**
   * What is cut off in front is the start, counted from the front and within the axis; what is cut
   * off behind is the rest of the axis.
   */
  @Override
  public void emit(Node node, GradientScope g) {
    String x = node.input(0);
    String dy = g.outputGradient(0);
    long[] starts = g.constant(node.input(1)).toLongs();
    String axes = node.hasInput(3) ? node.input(3) : g.longs(first(starts.length));
    String axes64 = g.cast(axes, ElementType.INT64);
    String sizes = g.gather(g.shape(x), axes64, 0);
    String lengths = g.gather(g.shape(node.output(0)), axes64, 0);
    String before = null;
    for (int i = 0; i < starts.length; i++) {
      String size = g.gather(sizes, g.longs(i), 0);
      String start = starts[i] < 0 ? g.add(size, g.longs(starts[i])) : g.longs(starts[i]);
      String within = g.op("Max", g.op("Min", start, size), g.longs(0));
      before = before == null ? within : g.concat(0, before, within);
    }
    String after = g.sub(g.sub(sizes, lengths), before);
    g.inputGradient(0, g.op("Pad", dy, g.concat(0, before, after), "", axes64));
  }

  private static long[] first(int count) {
    long[] axes = new long[count];
    for (int i = 0; i < count; i++) {
      axes[i] = i;
    }
    return axes;
  }
}
