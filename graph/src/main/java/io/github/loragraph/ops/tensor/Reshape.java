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

/** Any reshaping: dx = dy in the shape of x. */
@AutoService(OperatorFamily.class)
public final class Reshape implements DifferentiableOperator {
  @Override
  public String name() {
    return "Reshape";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.MOVES_DATA, Trait.KEEPS_ENTRIES);
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> x = c.shape(0);
    List<DimExpr> target = c.data(1);
    if (target == null) {
      return null;
    }
    boolean copies = c.node().attribute("allowzero", 0L) == 0;
    List<Dimension> result = new ArrayList<>();
    int open = -1;
    for (int axis = 0; axis < target.size(); axis++) {
      DimExpr entry = target.get(axis);
      if (entry.is(-1)) {
        open = axis;
        result.add(null);
      } else if (entry.is(0) && copies) {
        result.add(x == null || axis >= x.size() ? null : x.get(axis));
      } else {
        result.add(c.dimension(entry));
      }
    }
    if (open >= 0 && x != null && !ShapeContext.isOpen(x)) {
      List<Dimension> others = new ArrayList<>(result);
      others.remove(open);
      if (!ShapeContext.isOpen(others)) {
        result.set(open, c.dimension(c.product(x).dividedBy(c.product(others))));
      }
    }
    return result;
  }

  @Override
  public @Nullable List<DimExpr> shapeData(ShapeContext c) {
    return ShapeData.ofVector(c);
  }

  @Override
  public void emit(Node node, GradientContext g) {
    g.inputGradient(0, g.reshapeTo(g.outputGradient(), node.output(0), node.input(0)));
  }
}
