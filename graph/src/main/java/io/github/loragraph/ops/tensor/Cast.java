package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
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

/** Another floating-point type: dx = dy in the type of x. */
@AutoService(OperatorFamily.class)
public final class Cast implements DifferentiableOperator {
  @Override
  public String name() {
    return "Cast";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.ELEMENTWISE, Trait.KEEPS_ENTRIES);
  }

  @Override
  public ElementType elementType(int output, ShapeContext c) {
    return ElementType.of((int) c.node().attribute("to", 0L));
  }

  @Override
  public @Nullable List<DimExpr> shapeData(ShapeContext c) {
    ElementType to = elementType(0, c);
    return to == ElementType.INT64 || to == ElementType.INT32 ? c.data(0) : null;
  }

  @Override
  public Double compute(double... operands) {
    return operands[0];
  }

  @Override
  public void emit(Node node, GradientContext g) {
    String dy = g.outputGradient();
    g.inputGradient(0, g.cast(dy, g.elementType(node.input(0))));
  }
}
