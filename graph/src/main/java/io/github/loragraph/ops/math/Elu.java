package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.Set;

/** y = x where x is positive, alpha (exp(x) - 1) elsewhere, whose derivative is y + alpha. */
@AutoService(OperatorFamily.class)
public final class Elu implements DifferentiableOperator {
  @Override
  public String name() {
    return "Elu";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.ELEMENTWISE);
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    String x = node.input(0);
    String y = node.output(0);
    String positive = g.op("Greater", x, g.scalarLike(x, 0));
    String slope = g.add(y, g.scalarLike(x, node.attribute("alpha", 1f)));
    g.inputGradient(0, g.where(positive, dy, g.mul(dy, slope)));
  }
}
