package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
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

/** y = c ? a : b: each gets dy where it was taken, zero elsewhere, summed to its shape. */
@AutoService(OperatorFamily.class)
public final class Where implements DifferentiableOperator {
  @Override
  public String name() {
    return "Where";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.BROADCASTING);
  }

  @Override
  public @Nullable ElementType elementType(int output, ShapeContext c) {
    return c.elementType(1);
  }

  @Override
  public @Nullable List<DimExpr> shapeData(ShapeContext c) {
    List<DimExpr> condition = c.data(0);
    List<DimExpr> yes = c.data(1);
    List<DimExpr> no = c.data(2);
    if (condition == null
        || yes == null
        || no == null
        || yes.size() != condition.size()
        || no.size() != condition.size()) {
      return null;
    }
    List<DimExpr> result = new ArrayList<>();
    for (int i = 0; i < condition.size(); i++) {
      DimExpr chosen = condition.get(i).is(0) ? no.get(i) : yes.get(i);
      result.add(condition.get(i).isNumber() ? chosen : DimExpr.UNKNOWN);
    }
    return result;
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    String zero = g.scalarLike(node.output(0), 0);
    if (g.needs(1)) {
      String taken = g.where(node.input(0), dy, zero);
      g.inputGradient(1, g.reduceToShape(taken, node.output(0), node.input(1)));
    }
    if (g.needs(2)) {
      String taken = g.where(node.input(0), zero, dy);
      g.inputGradient(2, g.reduceToShape(taken, node.output(0), node.input(2)));
    }
  }
}
