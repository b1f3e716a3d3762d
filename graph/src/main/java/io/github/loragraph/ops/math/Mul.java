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

/** y = a b: da = dy b, db = dy a, each summed to its operand's shape. */
@AutoService(OperatorFamily.class)
public final class Mul implements DifferentiableOperator {
  @Override
  public String name() {
    return "Mul";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.BROADCASTING, Trait.COMMUTATIVE);
  }

  @Override
  public @Nullable List<DimExpr> shapeData(ShapeContext c) {
    return EntryArithmetic.combined(c, DimExpr::times);
  }

  @Override
  public Double compute(double... operands) {
    return operands[0] * operands[1];
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    for (int operand = 0; operand < 2; operand++) {
      if (g.needs(operand)) {
        String gradient = g.mul(dy, node.input(1 - operand));
        g.inputGradient(operand, g.reduceToShape(gradient, node.output(0), node.input(operand)));
      }
    }
  }
}
