package io.github.loragraph.passes;

import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Shape.Dimension;
import org.jspecify.annotations.Nullable;

/**
 * What the shape of an attention's scores says of other values.
 *
 * @param shape (..., queries, keys), of three axes or more
 */
record AttentionScores(Shape shape) {
  /**
   * Whether a value has a number for each pair of a query and a key: two sizes that only a run
   * knows, whatever they are called, or the very sizes.
   */
  boolean are(@Nullable Shape other) {
    return other != null && hasLeading(other) && (isPair(other, -2, -1) || isPair(other, -1, -2));
  }

  private boolean isPair(Shape other, int rows, int columns) {
    return isSame(other.dimension(-2), shape.dimension(rows))
        && isSame(other.dimension(-1), shape.dimension(columns));
  }

  private static boolean isSame(Dimension a, Dimension b) {
    return a.isKnown() ? a.surelyEquals(b) : !b.isKnown();
  }

  /** Whether a value is of as many matrices, each for itself. */
  boolean hasLeading(@Nullable Shape other) {
    if (other == null || other.rank() != shape.rank()) {
      return false;
    }
    for (int axis = 0; axis < leading(); axis++) {
      if (!other.dimension(axis).surelyEquals(shape.dimension(axis))) {
        return false;
      }
    }
    return true;
  }

  /** Whether a value is one matrix, or row, or number, for all of them. */
  boolean isForAll(@Nullable Shape other) {
    if (other == null || other.rank() > shape.rank()) {
      return false;
    }
    for (int axis = 0; axis < other.rank() - 2; axis++) {
      if (other.dimension(axis).size() != 1) {
        return false;
      }
    }
    return true;
  }

  /** Whether a value becomes one of as many matrices when it is broadcast. */
  boolean reachesLeading(@Nullable Shape other) {
    if (other == null || other.rank() != shape.rank()) {
      return false;
    }
    for (int axis = 0; axis < leading(); axis++) {
      Dimension size = other.dimension(axis);
      if (size.size() != 1 && !size.surelyEquals(shape.dimension(axis))) {
        return false;
      }
    }
    return true;
  }

  int leading() {
    return shape.rank() - 2;
  }
}
