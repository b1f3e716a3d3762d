package io.github.loragraph.ops.generator;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The same number everywhere, in a shape that is a value. */
@AutoService(OperatorFamily.class)
public final class ConstantOfShape implements Operator {
  /** More entries are no shape. */
  private static final int MOST_ENTRIES = 32;

  @Override
  public String name() {
    return "ConstantOfShape";
  }

  @Override
  public ElementType elementType(int output, ShapeContext c) {
    Tensor value = c.node().tensor("value");
    return value == null ? ElementType.FLOAT : value.elementType();
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> dimensions = c.dimensions(0);
    List<Dimension> ofShape = c.shape(0);
    if (dimensions != null || ofShape == null || ofShape.size() != 1) {
      return dimensions;
    }
    Dimension rank = ofShape.get(0);
    return rank == null || !rank.isKnown() ? null : Collections.nCopies((int) rank.size(), null);
  }

  @Override
  public @Nullable List<DimExpr> shapeData(ShapeContext c) {
    List<DimExpr> shape = c.data(0);
    Tensor value = c.node().tensor("value");
    if (shape == null
        || shape.size() != 1
        || !shape.get(0).isNumber()
        || shape.get(0).number() > MOST_ENTRIES
        || value == null
        || value.elementType() != ElementType.INT64) {
      return null;
    }
    return Collections.nCopies((int) shape.get(0).number(), DimExpr.of(value.toLongs()[0]));
  }
}
