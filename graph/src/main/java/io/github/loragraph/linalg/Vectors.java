package io.github.loragraph.linalg;

/** Sums over rows of numbers, written so that the JVM computes several at once. */
final class Vectors {
  private Vectors() {}

  static double dot(double[] a, double[] b) {
    return dot(a, b, 0);
  }

  /** The scalar product from an index on. Four sums, since one would wait for itself. */
  static double dot(double[] a, double[] b, int from) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = from;
    for (; i + 3 < a.length; i += 4) {
      s0 += a[i] * b[i];
      s1 += a[i + 1] * b[i + 1];
      s2 += a[i + 2] * b[i + 2];
      s3 += a[i + 3] * b[i + 3];
    }
    for (; i < a.length; i++) {
      s0 += a[i] * b[i];
    }
    return s0 + s1 + (s2 + s3);
  }

  /** a += factor b, from an index on. */
  static void add(double[] a, double factor, double[] b, int from) {
    for (int i = from; i < a.length; i++) {
      a[i] += factor * b[i];
    }
  }

  static void scale(double[] a, double factor, int from) {
    for (int i = from; i < a.length; i++) {
      a[i] *= factor;
    }
  }

  /** (a, b) becomes (cos a - sin b, sin a + cos b). */
  static void rotate(double[] a, double[] b, double cos, double sin) {
    for (int i = 0; i < a.length; i++) {
      double x = a[i];
      double y = b[i];
      a[i] = cos * x - sin * y;
      b[i] = sin * x + cos * y;
    }
  }
}
