package io.github.loragraph.ops;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.shape.ShapeContext;
import io.github.loragraph.shape.TypeRule;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All that is known of one ONNX operator, in one place: what a pass may rely on ({@link #traits}),
 * the types of its outputs, how nodes of older operator sets are written in the new one, and its
 * gradient, or the body of operators that takes its place where a gradient has to go through. What
 * has a default needs no word. Holds no state.
 *
 * <p>The definition is that of operator set {@link io.github.loragraph.onnx.GraphBuilder#OPSET}, in
 * which every graph that is rewritten here is read.
 */
public interface Operator extends TypeRule, OperatorFamily {
  /** The operator, as its nodes name it: {@code MatMul}. */
  String name();

  /** The operator set that the operator is of; the standard one unless overridden. */
  default String domain() {
    return "";
  }

  /** The version of the operator set that the operator came with, where that matters. */
  default int since() {
    return 1;
  }

  default Set<Trait> traits() {
    return Set.of();
  }

  /** Whether the operator has a trait. */
  default boolean is(Trait trait) {
    return traits().contains(trait);
  }

  /** That of the first input, unless overridden. */
  @Override
  default @Nullable ElementType elementType(int output, ShapeContext c) {
    return c.elementType(0);
  }

  /** What follows from the traits, of the first output, unless overridden. */
  @Override
  default @Nullable List<Dimension> shape(int output, ShapeContext c) {
    if (output > 0) {
      return null;
    }
    if (is(Trait.ELEMENTWISE) || is(Trait.KEEPS_SHAPE)) {
      return c.shape(0);
    }
    return is(Trait.BROADCASTING) ? c.broadcastInputs() : null;
  }

  /** The inputs that hold weights, where neither their names nor their types tell. */
  default Set<Integer> weights() {
    return Set.of();
  }

  /** The inputs that hold the scale and the shift of a normalization: no weight decays there. */
  default Set<Integer> scaleAndShift() {
    return Set.of();
  }

  /** The number that comes out where all inputs are one number each; null where it is not said. */
  default @Nullable Double compute(double... operands) {
    return null;
  }

  /** What changed in the operator's definition since operator set 11, the oldest first. */
  default List<OperatorChange> changes() {
    return List.of();
  }

  /**
   * The gradient, by the kernels that there are; null where no gradient goes through, but perhaps
   * through the {@link #body}.
   */
  default @Nullable Gradient gradient(Kernels kernels) {
    return null;
  }

  /** What the operator is made of; null where that is not said. */
  default @Nullable FunctionBody body() {
    return null;
  }

  @Override
  default List<Operator> operators() {
    return List.of(this);
  }
}
