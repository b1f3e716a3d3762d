package io.github.loragraph.ops.nn;

import com.google.auto.service.AutoService;
import io.github.loragraph.ops.FunctionBody;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.Set;

/**
 * y = x over its norm along an axis, the sum of absolute values or the root of the sum of squares:
 * the end of models that answer with embeddings. Where the norm is 0, so is y.
 */
@AutoService(OperatorFamily.class)
public final class LpNormalization implements Operator {
  @Override
  public String name() {
    return "LpNormalization";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.KEEPS_SHAPE, Trait.NORMALIZATION);
  }

  @Override
  public FunctionBody body() {
    return (node, b) -> {
      String x = node.input(0);
      String reduction = node.attribute("p", 2L) == 1 ? "ReduceL1" : "ReduceL2";
      String norm = b.reduce(reduction, x, b.longs(node.attribute("axis", -1L)), true);
      String none = b.op("Equal", norm, b.scalarLike(x, 0));
      return b.div(x, b.where(none, b.scalarLike(x, 1), norm));
    };
  }
}
