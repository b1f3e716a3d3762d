package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code Shape}: the sizes of some axes, those from {@code start} to before {@code end}. */
@AutoService(OperatorFamily.class)
public final class ShapeOf implements Operator {
  @Override
  public String name() {
    return "Shape";
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
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<DimExpr> entries = shapeData(c);
    return entries == null ? null : List.of(Dimension.of(entries.size()));
  }

  @Override
  public @Nullable List<DimExpr> shapeData(ShapeContext c) {
    List<Dimension> shape = c.shape(0);
    if (shape == null) {
      return null;
    }
    int from = (int) ShapeContext.clamped(c.node().attribute("start", 0L), shape.size());
    long end = c.node().attribute("end", (long) shape.size());
    int to = (int) ShapeContext.clamped(end, shape.size());
    List<DimExpr> entries = new ArrayList<>();
    for (int axis = from; axis < to; axis++) {
      entries.add(c.expression(shape.get(axis)));
    }
    return entries;
  }
}
