package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.ShapeArithmetic;
import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Slices picked along an axis: dx has dy added up at the picked places and zero elsewhere. A single
 * slice, the first token above all, is padded with zeros; many, the rows of an embedding, are
 * scattered.
 */
@AutoService(OperatorFamily.class)
public final class Gather implements DifferentiableOperator {
  @Override
  public String name() {
    return "Gather";
  }

  @Override
  public Set<Integer> weights() {
    return Set.of(0);
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> x = c.shape(0);
    List<Dimension> indices = c.shape(1);
    if (x == null || indices == null) {
      return null;
    }
    int at = ShapeContext.axis(c.node().attribute("axis", 0L), x.size());
    List<Dimension> result = new ArrayList<>(x.subList(0, at));
    result.addAll(indices);
    result.addAll(x.subList(at + 1, x.size()));
    return result;
  }

  @Override
  public @Nullable List<DimExpr> shapeData(ShapeContext c) {
    List<DimExpr> entries = c.data(0);
    List<Long> indices = c.numbers(1);
    if (entries == null || indices == null) {
      return null;
    }
    List<DimExpr> result = new ArrayList<>();
    for (long index : indices) {
      int i = ShapeContext.axis(index, entries.size());
      if (i < 0 || i >= entries.size()) {
        return null;
      }
      result.add(entries.get(i));
    }
    return result;
  }

  @Override
  public void emit(Node node, GradientContext g) {
    if (!g.needs(0)) {
      return;
    }
    Tensor index = g.constant(node.input(1));
    g.inputGradient(
        0,
        index != null && index.rank() <= 1 && index.elementCount() == 1
            ? padded(node, g, index)
            : scattered(node, g));
  }

  private static String padded(Node node, GradientContext g, Tensor index) {
    String dy = g.outputGradient();
    long axis = node.attribute("axis", 0L);
    long place = index.toLongs()[0];
    ShapeArithmetic sizes = g.sizes();
    String size = sizes.of(node.input(0), axis);
    String before = place < 0 ? sizes.add(size, g.longs(place)) : g.longs(place);
    String after = place < 0 ? g.longs(-place - 1) : sizes.subtract(size, g.longs(place + 1));
    String slice = index.rank() == 0 ? g.unsqueeze(dy, axis) : dy;
    return g.op("Pad", slice, sizes.pads(node.input(0), before, after, g.longs(axis)));
  }

  /** With the axes of the indices seen as one, and each index repeated over its slice. */
  private static String scattered(Node node, GradientContext g) {
    String x = node.input(0);
    String dy = g.outputGradient();
    long axis = node.attribute("axis", 0L);
    ShapeArithmetic sizes = g.sizes();
    boolean vector = g.rank(node.input(1)) == 1;
    String indices = vector ? node.input(1) : g.reshape(node.input(1), -1);
    String count = vector ? sizes.of(node.input(1)) : g.shape(indices);
    String behind = sizes.behind(x, axis);
    String slices = sizes.join(sizes.before(x, axis), count, behind);
    String column = g.reshapeExactly(indices, sizes.join(count, sizes.ones(behind)));
    return g.scatterAdd(
        g.zerosLike(x),
        axis,
        g.repeat(column, g.elementType(node.input(1)), slices),
        vector ? dy : g.reshapeExactly(dy, slices));
  }
}
