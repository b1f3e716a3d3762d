package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.Set;

/** y = the sum of all inputs: each gets dy, summed to its shape. */
@AutoService(OperatorFamily.class)
public final class Sum implements DifferentiableOperator {
  @Override
  public String name() {
    return "Sum";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.BROADCASTING, Trait.COMMUTATIVE, Trait.SUM);
  }

  @Override
  public void emit(Node node, GradientContext g) {
    for (int i = 0; i < node.inputs().size(); i++) {
      if (g.needs(i)) {
        g.inputGradient(i, g.reduceToShape(g.outputGradient(), node.output(0), node.input(i)));
      }
    }
  }
}
