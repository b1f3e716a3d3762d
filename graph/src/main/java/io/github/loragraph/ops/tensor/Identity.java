package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.ops.DifferentiableOperator;
import io.github.loragraph.ops.GradientContext;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** y = x: dx = dy. */
@AutoService(OperatorFamily.class)
public final class Identity implements DifferentiableOperator {
  @Override
  public String name() {
    return "Identity";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.ELEMENTWISE, Trait.MOVES_DATA, Trait.KEEPS_ENTRIES);
  }

  @Override
  public @Nullable List<DimExpr> shapeData(ShapeContext c) {
    return c.data(0);
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    g.inputGradient(0, dy);
  }
}
