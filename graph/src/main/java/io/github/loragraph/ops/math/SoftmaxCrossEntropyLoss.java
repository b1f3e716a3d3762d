package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.shape.ShapeContext;
import java.util.List;

/**
 * Cross-entropy of scores x against labels, and, as a second output, the log-probabilities l. With
 * p = softmax(x) over axis 1: dx = dl - p sum(dl), where the loss adds its own part to dl, the
 * negated factor of each position at its label.
 */
@AutoService(OperatorFamily.class)
public final class SoftmaxCrossEntropyLoss implements DifferentiableOperator {
  @Override
  public String name() {
    return "SoftmaxCrossEntropyLoss";
  }

  @Override
  public List<Dimension> shape(int output, ShapeContext c) {
    return output == 0 ? ClassTargets.shape(c) : c.shape(0);
  }

  @Override
  public String unsupportedReason(Node node, GradientContext g) {
    return ClassTargets.unsupportedReason(g);
  }

  @Override
  public boolean takes(int output) {
    return true;
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dLoss = g.outputGradient(0);
    String dLog = g.outputGradient(1);
    ClassTargets targets = dLoss == null ? null : ClassTargets.of(node, dLoss, g);
    String probabilities =
        node.hasOutput(1)
            ? g.exp(node.output(1))
            : g.op("Softmax", n -> n.with("axis", 1), node.input(0));
    String negatedSum = null;
    if (dLog != null) {
      negatedSum = g.neg(g.reduceSum(dLog, true, 1));
    }
    if (targets != null) {
      negatedSum = negatedSum == null ? targets.factors() : g.add(negatedSum, targets.factors());
    }
    String gradient = g.mul(probabilities, negatedSum);
    if (dLog != null) {
      gradient = g.add(gradient, dLog);
    }
    g.inputGradient(0, targets == null ? gradient : targets.subtractFrom(gradient, g));
  }
}
