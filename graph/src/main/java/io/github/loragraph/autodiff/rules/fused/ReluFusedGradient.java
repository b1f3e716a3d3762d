package io.github.loragraph.autodiff.rules.fused;

import com.google.auto.service.AutoService;
import io.github.loragraph.autodiff.GradientRule;
import io.github.loragraph.autodiff.GradientScope;
import io.github.loragraph.autodiff.Kernels;
import io.github.loragraph.onnx.Node;

/**
 * {@code ReluGrad(dy, x)}, in one pass over the values where the standard rule compares and
 * selects.
 */
@AutoService(GradientRule.class)
public final class ReluFusedGradient implements GradientRule {
  @Override
  public String operator() {
    return "Relu";
  }

  @Override
  public Kernels kernels() {
    return Kernels.TRAINING_BUILD;
  }

  @Override
  public String refusal(Node node, GradientScope g) {
    return TrainingKernel.refusal(node, g);
  }

  @Override
  public void emit(Node node, GradientScope g) {
    g.inputGradient(0, TrainingKernel.op(g, "ReluGrad", g.outputGradient(0), node.input(0)));
  }
}
