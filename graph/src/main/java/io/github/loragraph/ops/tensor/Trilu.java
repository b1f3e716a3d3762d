package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.Set;

/** A triangle of the last two axes kept, zeros elsewhere: dx is the same triangle of dy. */
@AutoService(OperatorFamily.class)
public final class Trilu implements DifferentiableOperator {
  @Override
  public String name() {
    return "Trilu";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.KEEPS_SHAPE);
  }

  @Override
  public void emit(Node node, GradientContext g) {
    long upper = node.attribute("upper", 1L);
    g.inputGradient(
        0, g.op("Trilu", n -> n.with("upper", upper), g.outputGradient(), node.input(1)));
  }
}
