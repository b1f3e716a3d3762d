package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One value at each index along a new axis, another elsewhere. */
@AutoService(OperatorFamily.class)
public final class OneHot implements Operator {
  @Override
  public String name() {
    return "OneHot";
  }

  @Override
  public @Nullable ElementType elementType(int output, ShapeContext c) {
    return c.elementType(2);
  }

  @Override
  public @Nullable List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> indices = c.shape(0);
    if (indices == null) {
      return null;
    }
    List<DimExpr> depth = c.data(1);
    List<Dimension> result = new ArrayList<>(indices);
    int axis = ShapeContext.axis(c.node().attribute("axis", -1L), indices.size() + 1);
    result.add(axis, depth == null || depth.size() != 1 ? null : c.dimension(depth.get(0)));
    return result;
  }
}
