package io.github.loragraph.ops.nn;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The axes before and those behind a place become one each: dx = dy in the shape of x. */
@AutoService(OperatorFamily.class)
public final class Flatten implements DifferentiableOperator {
  @Override
  public String name() {
    return "Flatten";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.MOVES_DATA, Trait.KEEPS_ENTRIES);
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> x = c.shape(0);
    if (x == null || ShapeContext.isOpen(x)) {
      return null;
    }
    int split = ShapeContext.axis(c.node().attribute("axis", 1L), x.size());
    List<Dimension> result = new ArrayList<>();
    result.add(c.dimension(c.product(x.subList(0, split))));
    result.add(c.dimension(c.product(x.subList(split, x.size()))));
    return result;
  }

  @Override
  public void emit(Node node, GradientContext g) {
    g.inputGradient(0, g.reshapeTo(g.outputGradient(), node.output(0), node.input(0)));
  }
}
