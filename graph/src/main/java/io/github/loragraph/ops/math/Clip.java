package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * x kept between bounds: dx = dy where x is within them, bounds included, as in PyTorch. The bounds
 * get no gradient.
 */
@AutoService(OperatorFamily.class)
public final class Clip implements DifferentiableOperator {
  @Override
  public String name() {
    return "Clip";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.ELEMENTWISE);
  }

  @Override
  public @Nullable String unsupportedReason(Node node, GradientContext g) {
    return g.needs(1) || g.needs(2) ? "with trained bounds" : null;
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String x = node.input(0);
    String within = null;
    if (node.hasInput(1)) {
      within = g.op("GreaterOrEqual", x, node.input(1));
    }
    if (node.hasInput(2)) {
      String below = g.op("LessOrEqual", x, node.input(2));
      within = within == null ? below : g.op("And", within, below);
    }
    String dy = g.outputGradient();
    g.inputGradient(0, within == null ? dy : g.where(within, dy, g.scalarLike(x, 0)));
  }
}
