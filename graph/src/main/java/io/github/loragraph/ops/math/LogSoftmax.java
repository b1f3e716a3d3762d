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

/** y = log(softmax(x)) along an axis: dx = dy - exp(y) sum(dy). */
@AutoService(OperatorFamily.class)
public final class LogSoftmax implements DifferentiableOperator {
  @Override
  public String name() {
    return "LogSoftmax";
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
    String sum = g.reduceSum(dy, true, node.attribute("axis", -1L));
    g.inputGradient(0, g.sub(dy, g.mul(g.exp(node.output(0)), sum)));
  }
}
