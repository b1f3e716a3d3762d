package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;
import java.util.ArrayList;
import java.util.List;

/**
 * x repeated along its axes: dy is seen with each axis split in two, the repetition and the axis of
 * x, and summed over the repetitions.
 */
@AutoService(GradientRule.class)
public final class TileGradient implements GradientRule {
  @Override
  public String operator() {
    return "Tile";
  }

  @Override
  public void emit(Node node, GradientScope g) {
    String x = node.input(0);
    String dy = g.outputGradient(0);
    long[] repeats = g.sizes().numbers(node.input(1));
    g.inputGradient(
        0, repeats == null ? overAll(dy, x, node.input(1), g) : over(dy, x, repeats, g));
  }

  /** Only the axes that are repeated are split. */
  private static String over(String dy, String x, long[] repeats, GradientScope g) {
    List<String> split = new ArrayList<>();
    List<Long> summed = new ArrayList<>();
    for (int axis = 0; axis < repeats.length; axis++) {
      if (repeats[axis] != 1) {
        summed.add((long) split.size());
        split.add(g.longs(repeats[axis]));
      }
      split.add(g.sizes().of(x, axis));
    }
    if (summed.isEmpty()) {
      return dy;
    }
    String parts = g.reshapeExactly(dy, g.sizes().join(split.toArray(String[]::new)));
    return g.reduceSum(parts, false, summed.stream().mapToLong(Long::longValue).toArray());
  }

  /** Every axis is split: the repetitions are the axes 0, 2, 4 and so on. */
  private static String overAll(String dy, String x, String repeats, GradientScope g) {
    String pairs = g.concat(1, g.unsqueeze(repeats, 1), g.unsqueeze(g.sizes().of(x), 1));
    String parts = g.reshapeExactly(dy, g.reshape(pairs, -1));
    String axes = g.mul(g.sizes().counting(repeats), g.longs(2));
    return g.reduce("ReduceSum", parts, axes, false);
  }
}
