package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * x repeated along its axes: dy is seen with each axis split in two, the repetition and the axis of
 * x, and summed over the repetitions.
 */
@AutoService(OperatorFamily.class)
public final class Tile implements DifferentiableOperator {
  @Override
  public String name() {
    return "Tile";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.REPEATS_DATA);
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> x = c.shape(0);
    List<DimExpr> repeats = c.data(1);
    if (x == null) {
      return null;
    }
    List<Dimension> result = new ArrayList<>();
    for (int axis = 0; axis < x.size(); axis++) {
      DimExpr times = repeats == null ? DimExpr.UNKNOWN : repeats.get(axis);
      result.add(c.dimension(c.expression(x.get(axis)).times(times)));
    }
    return result;
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String x = node.input(0);
    String dy = g.outputGradient();
    long[] repeats = g.sizes().numbers(node.input(1));
    g.inputGradient(
        0, repeats == null ? overAll(dy, x, node.input(1), g) : over(dy, x, repeats, g));
  }

  /** Only the axes that are repeated are split. */
  private static String over(String dy, String x, long[] repeats, GradientContext g) {
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
  private static String overAll(String dy, String x, String repeats, GradientContext g) {
    String pairs = g.concat(1, g.unsqueeze(repeats, 1), g.unsqueeze(g.sizes().of(x), 1));
    String parts = g.reshapeExactly(dy, g.reshape(pairs, -1));
    String axes = g.mul(g.sizes().counting(repeats), g.longs(2));
    return g.reduce("ReduceSum", parts, axes, false);
  }
}
