package io.github.loragraph.ops.logical;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.shape.ShapeContext;
import java.util.List;
import java.util.Set;

/** Truth values of one value, entry by entry. No gradient goes through. */
@AutoService(OperatorFamily.class)
public final class Predicates implements OperatorFamily {
  @Override
  public List<Operator> operators() {
    return List.of(new Predicate("IsInf"), new Predicate("IsNaN"), new Predicate("Not"));
  }

  private record Predicate(String name) implements Operator {
    @Override
    public Set<Trait> traits() {
      return Set.of(Trait.ELEMENTWISE);
    }

    @Override
    public ElementType elementType(int output, ShapeContext c) {
      return ElementType.BOOL;
    }
  }
}
