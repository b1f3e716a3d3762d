package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.ShapeArithmetic;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A part of x. Without steps dx is dy with zeros around it: what is cut off in front is the start,
 * counted from the front and within the axis; what is cut off behind is the rest of the axis. With
 * steps dy goes to the places that the same slice of all places names.
 */
@AutoService(OperatorFamily.class)
public final class Slice implements DifferentiableOperator {
  @Override
  public String name() {
    return "Slice";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.MOVES_DATA);
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> x = c.shape(0);
    List<DimExpr> starts = c.data(1);
    List<DimExpr> ends = c.data(2);
    List<Long> axes = c.numbers(3);
    List<Long> steps = c.numbers(4);
    if (x == null || starts == null || ends == null || (c.node().hasInput(3) && axes == null)) {
      return null;
    }
    List<Dimension> result = new ArrayList<>(x);
    for (int i = 0; i < starts.size(); i++) {
      int axis = axes == null ? i : ShapeContext.axis(axes.get(i), x.size());
      boolean everyOne = !c.node().hasInput(4) || (steps != null && steps.get(i) == 1);
      result.set(axis, everyOne ? sliced(c, x.get(axis), starts.get(i), ends.get(i)) : null);
    }
    return result;
  }

  private static @Nullable Dimension sliced(
      ShapeContext c, @Nullable Dimension d, DimExpr start, DimExpr end) {
    if (d == null || !start.isNumber()) {
      return null;
    }
    String symbol = end.symbol();
    if (start.is(0) && symbol != null) {
      if (symbol.equals(d.symbol())) {
        return d;
      }
      return d.isKnown() && d.size() >= 1 ? c.atMost(d.size(), symbol) : null;
    }
    if (!end.isNumber()) {
      return null;
    }
    if (d.isKnown()) {
      long from = ShapeContext.clamped(start.number(), d.size());
      long to = ShapeContext.clamped(end.number(), d.size());
      return Dimension.of(Math.max(0, to - from));
    }
    return start.is(0) && end.number() >= Integer.MAX_VALUE ? d : null;
  }

  @Override
  public @Nullable List<DimExpr> shapeData(ShapeContext c) {
    List<DimExpr> x = c.data(0);
    List<Long> starts = c.numbers(1);
    List<Long> ends = c.numbers(2);
    List<Long> steps = c.node().hasInput(4) ? c.numbers(4) : List.of(1L);
    if (x == null
        || starts == null
        || ends == null
        || starts.size() != 1
        || ends.size() != 1
        || !List.of(1L).equals(steps)) {
      return null;
    }
    int from = (int) ShapeContext.clamped(starts.get(0), x.size());
    int to = (int) ShapeContext.clamped(ends.get(0), x.size());
    return x.subList(from, Math.max(from, to));
  }

  @Override
  public void emit(Node node, GradientContext g) {
    long[] steps = g.sizes().numbers(node.input(4));
    boolean unit =
        !node.hasInput(4) || (steps != null && Arrays.stream(steps).allMatch(s -> s == 1));
    g.inputGradient(0, unit ? padded(node, g) : scattered(node, g));
  }

  private static String padded(Node node, GradientContext g) {
    ShapeArithmetic sizes = g.sizes();
    String axes = node.hasInput(3) ? sizes.int64(node.input(3)) : sizes.counting(node.input(1));
    String size = sizes.at(node.input(0), axes);
    String length = sizes.at(node.output(0), axes);
    String before = before(node.input(1), size, g);
    String after = sizes.subtract(sizes.subtract(size, length), before);
    return g.op("Pad", g.outputGradient(), sizes.pads(node.input(0), before, after, axes));
  }

  private static String before(String starts, String size, GradientContext g) {
    ShapeArithmetic sizes = g.sizes();
    String zero = g.longs(0);
    long[] numbers = sizes.numbers(starts);
    if (numbers != null && Arrays.stream(numbers).allMatch(s -> s == 0)) {
      return g.longs(numbers);
    }
    String start = sizes.int64(starts);
    if (numbers != null && Arrays.stream(numbers).allMatch(s -> s >= 0)) {
      return sizes.min(start, size);
    }
    String fromEnd = sizes.add(start, size);
    String fromFront =
        numbers != null && Arrays.stream(numbers).allMatch(s -> s < 0)
            ? fromEnd
            : g.where(g.op("Less", start, zero), fromEnd, start);
    return sizes.max(sizes.min(fromFront, size), zero);
  }

  private static String scattered(Node node, GradientContext g) {
    List<String> inputs = new ArrayList<>(node.inputs());
    inputs.set(0, g.positions(node.input(0)));
    String moved = g.op("Slice", inputs.toArray(String[]::new));
    return g.gradientOfMoved(g.outputGradient(), moved, node.input(0));
  }
}
