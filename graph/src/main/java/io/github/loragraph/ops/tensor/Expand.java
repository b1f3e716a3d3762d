package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.ShapeContext;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Axes repeated by broadcasting: dx is dy summed over them. */
@AutoService(OperatorFamily.class)
public final class Expand implements DifferentiableOperator {
  @Override
  public String name() {
    return "Expand";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.REPEATS_DATA);
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    return c.broadcast(c.shape(0), c.dimensions(1));
  }

  @Override
  public void emit(Node node, GradientContext g) {
    g.inputGradient(0, g.reduceToShape(g.outputGradient(), node.output(0), node.input(0)));
  }
}
