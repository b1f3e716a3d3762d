package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorChange;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.List;
import java.util.Set;

/** y = softmax(x) along an axis: dx = y (dy - sum(dy y)). */
@AutoService(OperatorFamily.class)
public final class Softmax implements DifferentiableOperator {
  @Override
  public String name() {
    return "Softmax";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.KEEPS_SHAPE, Trait.LAST_AXIS);
  }

  @Override
  public List<OperatorChange> changes() {
    return List.of(SoftmaxOverOneAxis.CHANGE);
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    String y = node.output(0);
    String weighted = g.mul(dy, y);
    String sum = g.reduceSum(weighted, true, node.attribute("axis", -1L));
    g.inputGradient(0, g.mul(y, g.sub(dy, sum)));
  }
}
