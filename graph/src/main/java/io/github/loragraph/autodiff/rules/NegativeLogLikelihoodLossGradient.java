package io.github.loragraph.autodiff.rules;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.onnx.Node;

/** The negative log-probability of each label: its entry gets the factor, negated. */
@AutoService(GradientRule.class)
public final class NegativeLogLikelihoodLossGradient implements GradientRule {
  @Override
  public String operator() {
    return "NegativeLogLikelihoodLoss";
  }

  @Override
  public String refusal(Node node, GradientScope g) {
    return ClassTargets.refusal(g);
  }

  @Override
  public void emit(Node node, GradientScope g) {
    ClassTargets targets = ClassTargets.of(node, g.outputGradient(0), g);
    g.inputGradient(0, targets.subtractFrom(g.zerosLike(node.input(0)), g));
  }
}
