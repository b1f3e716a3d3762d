package io.github.loragraph.ops.tensor;

import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What operators that leave entries in their order do to those that sizes are computed with. */
final class ShapeData {
  private ShapeData() {}

  /** The entries of the first input, where they are still a vector or a number. */
  static @Nullable List<DimExpr> ofVector(ShapeContext c) {
    List<Dimension> shape = c.outputShape(0);
    return shape != null && shape.size() <= 1 ? c.data(0) : null;
  }
}
