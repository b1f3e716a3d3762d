package io.github.loragraph.ops.math;

import com.google.auto.service.AutoService;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorChange;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import java.util.List;
import java.util.Set;

/** Operators whose types are known, and through which no gradient goes. */
@AutoService(OperatorFamily.class)
public final class OtherMath implements OperatorFamily {
  @Override
  public List<Operator> operators() {
    return List.of(
        new Typed("Hardmax", Set.of(Trait.KEEPS_SHAPE, Trait.LAST_AXIS), SoftmaxOverOneAxis.CHANGE),
        new Typed("Mean", Set.of(Trait.BROADCASTING, Trait.COMMUTATIVE)),
        new Typed("Mod", Set.of(Trait.BROADCASTING)));
  }

  private record Typed(String name, Set<Trait> traits, OperatorChange... changed)
      implements Operator {
    @Override
    public List<OperatorChange> changes() {
      return List.of(changed);
    }
  }
}
