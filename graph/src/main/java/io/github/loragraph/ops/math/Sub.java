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

/** y = a - b: da = dy, db = -dy, each summed to its operand's shape. */
@AutoService(OperatorFamily.class)
public final class Sub implements DifferentiableOperator {
  @Override
  public String name() {
    return "Sub";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.BROADCASTING, Trait.SUM);
  }

  @Override
  public @Nullable List<DimExpr> shapeData(ShapeContext c) {
    return EntryArithmetic.combined(c, DimExpr::minus);
  }

  @Override
  public Double compute(double... operands) {
    return operands[0] - operands[1];
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    if (g.needs(0)) {
      g.inputGradient(0, g.reduceToShape(dy, node.output(0), node.input(0)));
    }
    if (g.needs(1)) {
      g.inputGradient(1, g.neg(g.reduceToShape(dy, node.output(0), node.input(1))));
    }
  }
}
