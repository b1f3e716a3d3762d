package io.github.loragraph.ops.reduction;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.Gradient;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorChange;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** One number of all entries along axes. */
@AutoService(OperatorFamily.class)
public final class Reductions implements OperatorFamily {
  /** The version since which the axes are an input. */
  private static final int AXES_AS_INPUT = 18;

  @Override
  public List<Operator> operators() {
    return List.of(
        // Of absolute values: dx = dy sign(x).
        new Reduction(
            "ReduceL1",
            (node, g) -> {
              String signs = g.op("Sign", node.input(0));
              g.inputGradient(0, g.mul(signs, g.broadcastReduced(g.outputGradient(), node)));
            }),
        new Reduction("ReduceL2", Reductions::root),
        new Reduction("ReduceLogSum", null),
        // dx = dy exp(x - y).
        new Reduction(
            "ReduceLogSumExp",
            (node, g) -> {
              String y = g.broadcastReduced(node.output(0), node);
              String shares = g.exp(g.sub(node.input(0), y));
              g.inputGradient(0, g.mul(shares, g.broadcastReduced(g.outputGradient(), node)));
            }),
        new Reduction("ReduceMax", Reductions::extreme, AXES_AS_INPUT, true),
        new Reduction("ReduceMean", Reductions::mean, AXES_AS_INPUT, true),
        new Reduction("ReduceMin", Reductions::extreme),
        new Reduction("ReduceProd", null),
        new Reduction(
            "ReduceSum",
            (node, g) -> g.inputGradient(0, g.broadcastReduced(g.outputGradient(), node)),
            13,
            true),
        // dx = 2 x dy.
        new Reduction(
            "ReduceSumSquare",
            (node, g) -> {
              String x = node.input(0);
              String dy = g.broadcastReduced(g.outputGradient(), node);
              g.inputGradient(0, g.mul(g.mul(x, g.scalarLike(x, 2)), dy));
            }));
  }

  /** y = the root of the sum of squares: dx = dy x / y, and 0 where y is 0. */
  private static void root(Node node, GradientContext g) {
    String x = node.input(0);
    String y = node.output(0);
    String zero = g.scalarLike(x, 0);
    String none = g.op("Equal", y, zero);
    String ratio = g.div(g.outputGradient(), g.where(none, g.scalarLike(x, 1), y));
    g.inputGradient(0, g.mul(x, g.broadcastReduced(g.where(none, zero, ratio), node)));
  }

  /** As in PyTorch's amax and amin, entries that are equal share dy evenly. */
  private static void extreme(Node node, GradientContext g) {
    String x = node.input(0);
    String y = g.broadcastReduced(node.output(0), node);
    String chosen = g.cast(g.op("Equal", x, y), g.elementType(x));
    String axes = node.hasInput(1) ? node.input(1) : "";
    String count = g.reduce("ReduceSum", chosen, axes, true);
    String dy = g.broadcastReduced(g.outputGradient(), node);
    g.inputGradient(0, g.div(g.mul(dy, chosen), count));
  }

  /** dx = dy spread over the axes, divided by their size. */
  private static void mean(Node node, GradientContext g) {
    String x = node.input(0);
    // Of a mean without entries there is nothing to spread, but whole numbers are not divided by 0.
    String means = g.op("Max", g.op("Size", node.output(0)), g.scalar(ElementType.INT64, 1));
    String count = g.div(g.op("Size", x), means);
    String share = g.div(g.outputGradient(), g.cast(count, g.elementType(x)));
    g.inputGradient(0, g.broadcastReduced(share, node));
  }

  /**
   * @param derivative null where there is none
   * @param axesSince the version since which the axes are an input
   * @param pools whether it leaves of states what can be taken for a state
   */
  private record Reduction(String name, @Nullable Gradient derivative, int axesSince, boolean pools)
      implements Operator {
    Reduction(String name, @Nullable Gradient derivative) {
      this(name, derivative, AXES_AS_INPUT, false);
    }

    @Override
    public Set<Trait> traits() {
      return pools ? Set.of(Trait.POOLING) : Set.of();
    }

    @Override
    public List<OperatorChange> changes() {
      return List.of(OperatorChange.axesAsInput(axesSince));
    }

    @Override
    public @Nullable List<Dimension> shape(int output, ShapeContext c) {
      return reducedShape(c);
    }

    @Override
    public @Nullable Gradient gradient(Kernels kernels) {
      return derivative;
    }
  }

  private static @Nullable List<Dimension> reducedShape(ShapeContext c) {
    List<Dimension> x = c.shape(0);
    if (x == null) {
      return null;
    }
    boolean keep = c.node().attribute("keepdims", 1L) != 0;
    boolean given = c.node().hasAttribute("axes") || c.node().hasInput(1);
    List<Long> stated = given ? c.axes() : List.of();
    if (stated == null) {
      return null;
    }
    Set<Integer> axes = new TreeSet<>();
    stated.forEach(axis -> axes.add(ShapeContext.axis(axis, x.size())));
    boolean all = axes.isEmpty() && c.node().attribute("noop_with_empty_axes", 0L) == 0;
    List<Dimension> result = new ArrayList<>();
    for (int axis = 0; axis < x.size(); axis++) {
      if (!all && !axes.contains(axis)) {
        result.add(x.get(axis));
      } else if (keep) {
        result.add(Dimension.of(1));
      }
    }
    return result;
  }
}
