package io.github.loragraph.ops.generator;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;

/** Numbers from a start to before a limit. */
@AutoService(OperatorFamily.class)
public final class Range implements Operator {
  @Override
  public String name() {
    return "Range";
  }

  /** From 0 by 1 there are as many as the limit says. */
  @Override
  public List<Dimension> shape(int output, ShapeContext c) {
    List<DimExpr> limit = c.data(1);
    boolean counts = List.of(0L).equals(c.numbers(0)) && List.of(1L).equals(c.numbers(2));
    List<Dimension> result = new ArrayList<>();
    result.add(counts && limit != null && limit.size() == 1 ? c.dimension(limit.get(0)) : null);
    return result;
  }
}
