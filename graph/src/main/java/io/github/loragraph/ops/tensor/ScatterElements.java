package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Updates put at, or added to, entries that indices name along an axis: the updates get dy from
 * there; the data get dy, without the entries that were put over.
 */
@AutoService(OperatorFamily.class)
public final class ScatterElements implements DifferentiableOperator {
  @Override
  public String name() {
    return "ScatterElements";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.KEEPS_SHAPE);
  }

  @Override
  public @Nullable String unsupportedReason(Node node, GradientContext g) {
    String reduction = node.attribute("reduction", "none");
    return reduction.equals("none") || reduction.equals("add") ? null : "with " + reduction;
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    long axis = node.attribute("axis", 0L);
    String indices = node.input(1);
    if (g.needs(0)) {
      g.inputGradient(
          0,
          node.attribute("reduction", "none").equals("add")
              ? dy
              : g.op(
                  "ScatterElements",
                  n -> n.with("axis", axis),
                  dy,
                  indices,
                  g.zerosLike(node.input(2))));
    }
    if (g.needs(2)) {
      g.inputGradient(2, g.op("GatherElements", n -> n.with("axis", axis), dy, indices));
    }
  }
}
