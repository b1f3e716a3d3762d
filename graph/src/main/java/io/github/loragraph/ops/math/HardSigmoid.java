package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.Set;

/** y = max(0, min(1, alpha x + beta)): dx = alpha dy strictly between the bounds. */
@AutoService(OperatorFamily.class)
public final class HardSigmoid implements DifferentiableOperator {
  @Override
  public String name() {
    return "HardSigmoid";
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
    String above = g.op("Greater", y, g.scalarLike(x, 0));
    String below = g.op("Less", y, g.scalarLike(x, 1));
    String inside = g.op("And", above, below);
    String slope = g.mul(dy, g.scalarLike(x, node.attribute("alpha", 0.2f)));
    g.inputGradient(0, g.where(inside, slope, g.scalarLike(x, 0)));
  }
}
