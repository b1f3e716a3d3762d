package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

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
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    return output == 0 ? ClassTargets.shape(c) : c.shape(0);
  }

  @Override
  public @Nullable String unsupportedReason(Node node, GradientContext g) {
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
    List<String> negatedSums = new ArrayList<>();
    if (dLog != null) {
      negatedSums.add(g.neg(g.reduceSum(dLog, true, 1)));
    }
    if (targets != null) {
      negatedSums.add(targets.factors());
    }
    String gradient = g.mul(probabilities, negatedSums.stream().reduce(g::add).orElseThrow());
    if (dLog != null) {
      gradient = g.add(gradient, dLog);
    }
    g.inputGradient(0, targets == null ? gradient : targets.subtractFrom(gradient, g));
  }
}
