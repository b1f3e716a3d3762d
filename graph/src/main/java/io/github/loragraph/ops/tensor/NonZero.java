package io.github.loragraph.ops.tensor;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;

/** The places of the entries that are not zero: a row for each axis. */
@AutoService(OperatorFamily.class)
public final class NonZero implements Operator {
  @Override
  public String name() {
    return "NonZero";
  }

  @Override
  public ElementType elementType(int output, ShapeContext c) {
    return ElementType.INT64;
  }

  @Override
  public List<Dimension> shape(int output, ShapeContext c) {
    List<Dimension> result = new ArrayList<>();
    result.add(c.rank(0) < 0 ? null : Dimension.of(c.rank(0)));
    result.add(null);
    return result;
  }
}
