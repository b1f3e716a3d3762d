package io.github.loragraph.ops.logical;

import com.google.auto.service.AutoService;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.ops.Operator;
import io.github.loragraph.ops.OperatorFamily;
import io.github.loragraph.ops.Trait;
import io.github.loragraph.ops.math.EntryArithmetic;
import io.github.loragraph.shape.DimExpr;
import io.github.loragraph.shape.ShapeContext;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Truth values of two values, entry by entry. No gradient goes through. */
@AutoService(OperatorFamily.class)
public final class Comparisons implements OperatorFamily {
  @Override
  public List<Operator> operators() {
    return List.of(
        new Equal(),
        new Comparison("Greater"),
        new Comparison("GreaterOrEqual"),
        new Comparison("Less"),
        new Comparison("LessOrEqual"),
        new Comparison("And", Trait.COMMUTATIVE),
        new Comparison("Or", Trait.COMMUTATIVE),
        new Comparison("Xor", Trait.COMMUTATIVE));
  }

  private record Comparison(String name, Set<Trait> traits) implements Operator {
    Comparison(String name) {
      this(name, Set.of(Trait.BROADCASTING));
    }

    Comparison(String name, Trait trait) {
      this(name, Set.of(Trait.BROADCASTING, trait));
    }

    @Override
    public ElementType elementType(int output, ShapeContext c) {
      return ElementType.BOOL;
    }
  }

  private static final class Equal implements Operator {
    @Override
    public String name() {
      return "Equal";
    }

    @Override
    public Set<Trait> traits() {
      return Set.of(Trait.BROADCASTING, Trait.COMMUTATIVE);
    }

    @Override
    public ElementType elementType(int output, ShapeContext c) {
      return ElementType.BOOL;
    }

    @Override
    public @Nullable List<DimExpr> shapeData(ShapeContext c) {
      return EntryArithmetic.combined(c, DimExpr::equalTo);
    }
  }
}
