package io.github.loragraph.ops.math;

import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BinaryOperator;
import org.jspecify.annotations.Nullable;

/** Arithmetic on the entries of two integer tensors that sizes are computed with. */
public final class EntryArithmetic {
  private EntryArithmetic() {}

  /** The entries that come of both inputs, entry by entry; a single one stands for all. */
  public static @Nullable List<DimExpr> combined(ShapeContext c, BinaryOperator<DimExpr> operator) {
    List<DimExpr> x = c.data(0);
    List<DimExpr> y = c.data(1);
    if (x == null || y == null || !(x.size() == y.size() || x.size() == 1 || y.size() == 1)) {
      return null;
    }
    List<DimExpr> result = new ArrayList<>();
    for (int i = 0; i < Math.max(x.size(), y.size()); i++) {
      result.add(operator.apply(x.get(x.size() == 1 ? 0 : i), y.get(y.size() == 1 ? 0 : i)));
    }
    return result;
  }
}
