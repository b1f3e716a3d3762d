package io.github.loragraph.retrieval;

/** Cosines of vectors. */
public final class Cosine {
  private Cosine() {}

  /** The vector in length 1; one of nothing but zeros stays as it is. */
  public static float[] unit(float[] vector) {
    double squares = 0;
    for (float value : vector) {
      squares += (double) value * value;
    }
    double length = Math.sqrt(squares);
    float[] unit = new float[vector.length];
    for (int i = 0; i < unit.length && length > 0; i++) {
      unit[i] = (float) (vector[i] / length);
    }
    return unit;
  }

  /** All in length 1. */
  public static float[][] units(float[][] vectors) {
    float[][] units = new float[vectors.length][];
    for (int i = 0; i < units.length; i++) {
      units[i] = unit(vectors[i]);
    }
    return units;
  }

  /** The cosine of two vectors, 0 where one has no direction. */
  public static double of(float[] a, float[] b) {
    double product = 0;
    double squaresA = 0;
    double squaresB = 0;
    for (int i = 0; i < a.length; i++) {
      product += (double) a[i] * b[i];
      squaresA += (double) a[i] * a[i];
      squaresB += (double) b[i] * b[i];
    }
    return squaresA == 0 || squaresB == 0 ? 0 : product / Math.sqrt(squaresA) / Math.sqrt(squaresB);
  }
}
