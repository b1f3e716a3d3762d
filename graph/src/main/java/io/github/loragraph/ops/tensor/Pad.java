package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Entries put around x, or cut off where a number is negative. With a constant around, dx is dy
 * with the opposite padding and the constant gets all the rest of dy; otherwise the entries around
 * are copies of entries of x, whose gradients are added to theirs.
 */
@AutoService(OperatorFamily.class)
public final class Pad implements DifferentiableOperator {
  @Override
  public String name() {
    return "Pad";
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> x = c.shape(0);
    if (x == null) {
      return null;
    }
    List<Long> pads = c.numbers(1);
    List<Long> axes = c.node().hasInput(3) ? c.numbers(3) : null;
    if (pads == null || (c.node().hasInput(3) && axes == null)) {
      return Collections.nCopies(x.size(), null);
    }
    List<Dimension> result = new ArrayList<>(x);
    int count = pads.size() / 2;
    for (int i = 0; i < count; i++) {
      int axis = axes == null ? i : ShapeContext.axis(axes.get(i), x.size());
      long added = pads.get(i) + pads.get(count + i);
      Dimension d = x.get(axis);
      if (d != null && d.isKnown() && d.size() + added >= 0) {
        result.set(axis, Dimension.of(d.size() + added));
      } else if (pads.get(i) != 0 || pads.get(count + i) != 0) {
        result.set(axis, null);
      }
    }
    return result;
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
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
  private static String pads(Node node, String pads, GradientContext g) {
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

  private static String sum(String x, GradientContext g) {
    return g.reduce("ReduceSum", x, "", false);
  }
}
