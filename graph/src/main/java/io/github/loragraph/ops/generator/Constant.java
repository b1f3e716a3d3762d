package io.github.loragraph.ops.generator;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The same tensor in every run. */
@AutoService(OperatorFamily.class)
public final class Constant implements Operator {
  @Override
  public String name() {
    return "Constant";
  }

  @Override
  public @Nullable ElementType elementType(int output, ShapeContext c) {
    Tensor tensor = c.constantOutput();
    return tensor == null ? null : tensor.elementType();
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    Tensor tensor = c.constantOutput();
    return tensor == null ? null : tensor.shape().dimensions();
  }

  @Override
  public @Nullable List<DimExpr> shapeData(ShapeContext c) {
    return c.constantData();
  }
}
