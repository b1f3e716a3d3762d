package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.Set;

/**
 * y = x max(0, min(1, x / 6 + 1/2)): the derivative is 0 below -3, 1 above 3 and x / 3 + 1/2
 * between.
 */
@AutoService(OperatorFamily.class)
public final class HardSwish implements DifferentiableOperator {
  @Override
  public String name() {
    return "HardSwish";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.ELEMENTWISE);
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    String x = node.input(0);
    String line = g.add(g.mul(x, g.scalarLike(x, 1.0 / 3)), g.scalarLike(x, 0.5));
    String three = g.scalarLike(x, 3);
    String above = g.cast(g.op("GreaterOrEqual", x, three), g.elementType(x));
    String inside = g.op("Less", g.op("Abs", x), three);
    String slope = g.where(inside, line, above);
    g.inputGradient(0, g.mul(dy, slope));
  }
}
