package io.github.loragraph.shape;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Shape.Dimension;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is known of an operator's outputs when something is known of its inputs. Everything may be
 * answered with null: not known.
 */
public interface TypeRule {
  /** The element type of an output, or null. */
  @Nullable ElementType elementType(int output, ShapeContext c);

  /**
   * The shape of an output; open dimensions, and a whole open shape, are null. In a run that does
   * not fail, what is said here is true.
   */
  @Nullable List<Dimension> shape(int output, ShapeContext c);

  /**
   * Whether {@link #shape} goes before what a runtime infers, where it says something: for
   * operators whose inference is known to be wrong.
   */
  default boolean overridesInference() {
    return false;
  }

  /**
   * The entries of the first output, where it is an integer tensor of rank 0 or 1 that sizes are
   * computed with (shape data propagation); null where nothing is known.
   */
  default @Nullable List<DimExpr> shapeData(ShapeContext c) {
    return null;
  }
}
