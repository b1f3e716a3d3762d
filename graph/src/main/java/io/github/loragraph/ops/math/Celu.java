package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.ops.FunctionBody;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.Set;

/** y = max(0, x) + min(0, alpha (exp(x / alpha) - 1)), as ONNX defines it: by Elu. */
@AutoService(OperatorFamily.class)
public final class Celu implements Operator {
  @Override
  public String name() {
    return "Celu";
  }

  @Override
  public Set<Trait> traits() {
    return Set.of(Trait.ELEMENTWISE);
  }

  @Override
  public FunctionBody body() {
    return (node, b) -> {
      String alpha = b.scalarLike(node.input(0), node.attribute("alpha", 1f));
      return b.mul(alpha, b.op("Elu", b.div(node.input(0), alpha)));
    };
  }
}
