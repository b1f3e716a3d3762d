package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/**
 * Cross-entropy of scores x against labels, and, as a second output, the log-probabilities l. With
 * p = softmax(x) over axis 1: dx = dl - p sum(dl), where the loss adds its own part to dl, the
 * negated factor of each position at its label.
 */
@AutoService(GradientRule.class)
public final class SoftmaxCrossEntropyLossGradient implements GradientRule {
  @Override
  public String operator() {
    return "SoftmaxCrossEntropyLoss";
  }

  @Override
  public String refusal(Node node, GradientScope g) {
    return ClassTargets.refusal(g);
  }

  @Override
  public boolean takes(int output) {
    return true;
  }

  @Override
  public void emit(Node node, GradientScope g) {
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
