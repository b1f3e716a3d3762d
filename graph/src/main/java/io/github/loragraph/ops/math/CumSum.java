package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.Set;

/** Running sums along an axis: dx is the running sum of dy in the other direction. */
@AutoService(OperatorFamily.class)
public final class CumSum implements DifferentiableOperator {
  @Override
  public String name() {
    return "CumSum";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.KEEPS_SHAPE);
  }

  @Override
  public void emit(Node node, GradientContext g) {
    boolean reverse = node.attribute("reverse", 0L) != 0;
    String gradient =
        g.op(
            "CumSum",
            n ->
                n.with("exclusive", node.attribute("exclusive", 0L))
                    .with("reverse", reverse ? 0 : 1),
            g.outputGradient(),
            node.input(1));
    g.inputGradient(0, gradient);
  }
}
