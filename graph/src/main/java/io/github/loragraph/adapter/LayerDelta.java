package io.github.loragraph.adapter;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.linalg.Matrix;
import io.github.loragraph.linalg.Svd;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.util.Arrays;

/**
 * What an adapter adds to the weight of one module, scale B A, in double precision and never made
 * as a whole.
 *
 * @param module its path in the base model
 * @param a (r, in)
 * @param b (out, r)
 */
record LayerDelta(String module, Matrix a, Matrix b, double scale) {
  /**
   * @throws LoraGraphException if a number of it is NaN or infinite
   */
  static LayerDelta of(PeftLayer layer) {
    return new LayerDelta(layer.module(), finite(layer.a()), finite(layer.b()), layer.scale());
  }

  /**
   * @throws LoraGraphException if a number is NaN or infinite
   */
  private static Matrix finite(Tensor tensor) {
    requireFinite(tensor);
    return Matrix.of(tensor);
  }

  /**
   * @throws LoraGraphException if a number of a floating-point tensor is NaN or infinite
   */
  static void requireFinite(Tensor tensor) {
    for (double value : tensor.toDoubles()) {
      if (!Double.isFinite(value)) {
        throw new LoraGraphException(
            "its '%s' has numbers that are NaN or infinite: the training diverged, or the file is damaged"
                .formatted(tensor.name()));
      }
    }
  }

  int rank() {
    return a.rows();
  }

  int in() {
    return a.columns();
  }

  int out() {
    return b.rows();
  }

  /** The singular values and vectors of the delta, of rank r. */
  Svd svd() {
    return Svd.ofProduct(b.times(scale), a);
  }

  /** The delta, (out, in). */
  Matrix dense() {
    return b.times(scale).times(a);
  }

  /**
   * Refuses layers that cannot be of the same module.
   *
   * @throws LoraGraphException if their sizes are not the same
   */
  void requireSameSize(LayerDelta other, String name, String otherName) {
    if (in() != other.in() || out() != other.out()) {
      throw new LoraGraphException(
          "'%s' is %d x %d in %s and %d x %d in %s: they are adapters of different base models"
              .formatted(module, in(), out(), name, other.in(), other.out(), otherName));
    }
  }

  /**
   * A matrix as a tensor.
   *
   * @param type FLOAT, DOUBLE, FLOAT16 or BFLOAT16
   * @throws LoraGraphException if a number is too large for the type
   */
  static Tensor tensor(String name, Matrix matrix, ElementType type) {
    return tensor(name, matrix.toArray(), type, matrix.rows(), matrix.columns());
  }

  static Tensor tensor(String name, double[] values, ElementType type, long... dims) {
    Tensor tensor;
    if (type == ElementType.DOUBLE) {
      tensor = Tensor.ofDoubles(name, values, dims);
    } else {
      float[] floats = new float[values.length];
      for (int i = 0; i < floats.length; i++) {
        floats[i] = (float) values[i];
      }
      Tensor single = Tensor.ofFloats(name, floats, dims);
      tensor = type == ElementType.FLOAT ? single : single.toHalf(name, type);
    }
    if (Arrays.stream(tensor.toDoubles()).anyMatch(v -> !Double.isFinite(v))) {
      throw new LoraGraphException(
          "'%s' would have numbers that are too large for %s".formatted(name, type));
    }
    return tensor;
  }
}
