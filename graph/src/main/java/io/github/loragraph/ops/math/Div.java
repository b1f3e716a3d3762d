package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** y = a / b: da = dy / b, db = -dy y / b, each summed to its operand's shape. */
@AutoService(OperatorFamily.class)
public final class Div implements DifferentiableOperator {
  @Override
  public String name() {
    return "Div";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.BROADCASTING);
  }

  @Override
  public @Nullable List<DimExpr> shapeData(ShapeContext c) {
    return EntryArithmetic.combined(c, DimExpr::dividedBy);
  }

  @Override
  public Double compute(double... operands) {
    return operands[0] / operands[1];
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    String scaled = g.div(dy, node.input(1));
    if (g.needs(0)) {
      g.inputGradient(0, g.reduceToShape(scaled, node.output(0), node.input(0)));
    }
    if (g.needs(1)) {
      String gradient = g.mul(scaled, node.output(0));
      g.inputGradient(1, g.neg(g.reduceToShape(gradient, node.output(0), node.input(1))));
    }
  }
}
