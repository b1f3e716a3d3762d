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

/** Entries picked along an axis: dx has dy added up at the picked places and zero elsewhere. */
@AutoService(OperatorFamily.class)
public final class GatherElements implements DifferentiableOperator {
  @Override
  public String name() {
    return "GatherElements";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.SELECTS_DATA);
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    return c.shape(1);
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    String zeros = g.zerosLike(node.input(0));
    long axis = node.attribute("axis", 0L);
    g.inputGradient(0, g.scatterAdd(zeros, axis, node.input(1), dy));
  }
}
