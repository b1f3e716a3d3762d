package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.shape.ShapeContext;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The negative log-probability of each label: its entry gets the factor, negated. */
@AutoService(OperatorFamily.class)
public final class NegativeLogLikelihoodLoss implements DifferentiableOperator {
  @Override
  public String name() {
    return "NegativeLogLikelihoodLoss";
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    return ClassTargets.shape(c);
  }

  @Override
  public @Nullable String unsupportedReason(Node node, GradientContext g) {
    return ClassTargets.unsupportedReason(g);
  }

  @Override
  public void emit(Node node, GradientContext g) {
    ClassTargets targets = ClassTargets.of(node, g.outputGradient(), g);
    g.inputGradient(0, targets.subtractFrom(g.zerosLike(node.input(0)), g));
  }
}
