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
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Values one behind the other along an axis: each gets its part of dy. */
@AutoService(OperatorFamily.class)
public final class Concat implements DifferentiableOperator {
  @Override
  public String name() {
    return "Concat";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.JOINS_DATA);
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> result = null;
    for (int input = 0; input < c.node().inputs().size(); input++) {
      List<Dimension> x = c.shape(input);
      if (x == null || (result != null && result.size() != x.size())) {
        return null;
      }
      if (result == null) {
        result = new ArrayList<>(x);
        continue;
      }
      int axis = ShapeContext.axis(c.node().attribute("axis", 0L), x.size());
      for (int i = 0; i < x.size(); i++) {
        Dimension a = result.get(i);
        Dimension b = x.get(i);
        if (i == axis) {
          boolean sum = a != null && b != null && a.isKnown() && b.isKnown();
          result.set(i, sum ? Dimension.of(a.size() + b.size()) : null);
        } else if (a == null || (b != null && b.isKnown())) {
          result.set(i, b);
        }
      }
    }
    return result;
  }

  @Override
  public @Nullable List<DimExpr> shapeData(ShapeContext c) {
    List<DimExpr> entries = new ArrayList<>();
    for (int input = 0; input < c.node().inputs().size(); input++) {
      List<DimExpr> part = c.data(input);
      if (part == null) {
        return null;
      }
      entries.addAll(part);
    }
    return entries;
  }

  @Override
  public void emit(Node node, GradientContext g) {
    List<Integer> needed =
        IntStream.range(0, node.inputs().size()).filter(g::needs).boxed().toList();
    if (node.inputs().size() == 1) {
      g.inputGradient(0, g.outputGradient());
    } else if (needed.size() == 1) {
      g.inputGradient(needed.get(0), part(node, needed.get(0), g));
    } else {
      List<String> parts = allParts(node, g);
      needed.forEach(input -> g.inputGradient(input, parts.get(input)));
    }
  }

  private static String part(Node node, int input, GradientContext g) {
    ShapeArithmetic sizes = g.sizes();
    long axis = node.attribute("axis", 0L);
    String start = g.longs(0);
    for (int i = 0; i < input; i++) {
      start = sizes.add(start, sizes.of(node.input(i), axis));
    }
    String end = sizes.add(start, sizes.of(node.input(input), axis));
    return g.op("Slice", g.outputGradient(), start, end, g.longs(axis));
  }

  private static List<String> allParts(Node node, GradientContext g) {
    long axis = node.attribute("axis", 0L);
    String[] lengths =
        node.inputs().stream().map(input -> g.sizes().of(input, axis)).toArray(String[]::new);
    return g.ops(
        "Split",
        lengths.length,
        n -> n.with("axis", axis),
        g.outputGradient(),
        g.sizes().join(lengths));
  }
}
