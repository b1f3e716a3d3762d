package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.List;
import java.util.Set;

/** Rounding and the sign are constant between their steps: dx = 0, as in PyTorch. */
@AutoService(OperatorFamily.class)
public final class StepFunctions implements OperatorFamily {
  @Override
  public List<Operator> operators() {
    return List.of(
        new StepFunction("Ceil"),
        new StepFunction("Floor"),
        new StepFunction("Round"),
        new StepFunction("Sign"));
  }

  private record StepFunction(String name) implements DifferentiableOperator {
    @Override
    public Set<Trait> traits() {
      return Set.of(Trait.ELEMENTWISE);
    }

    @Override
    public boolean isZero() {
      return true;
    }

    @Override
    public void emit(Node node, GradientContext g) {
      throw new IllegalStateException("no gradient comes to " + node);
    }
  }
}
