package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code Size}: the number of entries. */
@AutoService(OperatorFamily.class)
public final class SizeOf implements Operator {
  @Override
  public String name() {
    return "Size";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.READS_SHAPE);
  }

  @Override
  public ElementType elementType(int output, ShapeContext c) {
    return ElementType.INT64;
  }

  @Override
  public List<Dimension> shape(int output, ShapeContext c) {
    return List.of();
  }

  @Override
  public @Nullable List<DimExpr> shapeData(ShapeContext c) {
    List<Dimension> shape = c.shape(0);
    return shape == null ? null : List.of(c.product(shape));
  }
}
