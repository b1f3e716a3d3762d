package io.github.loragraph.linalg;

import io.github.loragraph.error.LoraGraphException;

/**
 * A = Q R by Householder reflections (Golub and Van Loan, Matrix Computations, 5.2), thin: of an
 * (m, n) matrix, with k the smaller of both, Q is (m, k) with orthonormal columns, whatever the
 * rank of A, and R (k, n) is upper triangular.
 */
public record Qr(Matrix q, Matrix r) {
  /**
   * Decomposes a matrix. No diagonal entry of R is negative, so that a matrix of full column rank
   * has one decomposition.
   *
   * @throws LoraGraphException if a number is NaN or infinite
   */
  public static Qr of(Matrix matrix) {
    matrix.requireFinite();
    int exponent = matrix.exponent();
    double[][] columns = columns(matrix.scaledBy(-exponent));
    int rank = Math.min(matrix.rows(), matrix.columns());
    double[][] reflectors = new double[rank][];
    for (int k = 0; k < rank; k++) {
      reflectors[k] = reflector(columns[k], k);
      for (int j = k; j < columns.length; j++) {
        reflect(columns[j], reflectors[k], k);
      }
    }
    double[][] q = new double[rank][matrix.rows()];
    for (int j = 0; j < rank; j++) {
      q[j][j] = 1;
      for (int k = j; k >= 0; k--) {
        reflect(q[j], reflectors[k], k);
      }
    }
    double[] r = new double[rank * columns.length];
    for (int i = 0; i < rank; i++) {
      int sign = columns[i][i] < 0 ? -1 : 1;
      for (int j = i; j < columns.length; j++) {
        r[i * columns.length + j] = sign * columns[j][i];
      }
      for (int row = 0; row < matrix.rows(); row++) {
        q[i][row] *= sign;
      }
    }
    return new Qr(
        Matrix.ofRows(matrix.rows(), q).transposed(),
        Matrix.of(rank, columns.length, r).scaledBy(exponent));
  }

  private static double[][] columns(Matrix matrix) {
    Matrix turned = matrix.transposed();
    double[][] columns = new double[matrix.columns()][];
    for (int j = 0; j < columns.length; j++) {
      columns[j] = turned.row(j);
    }
    return columns;
  }

  /** The unit vector whose reflection makes zeros of a column below its k-th entry. */
  private static double[] reflector(double[] column, int k) {
    double[] v = new double[column.length];
    double norm = Math.sqrt(Vectors.dot(column, column, k));
    if (norm == 0) {
      return v; // reflects nothing
    }
    System.arraycopy(column, k, v, k, column.length - k);
    v[k] += v[k] < 0 ? -norm : norm;
    Vectors.scale(v, 1 / Math.sqrt(Vectors.dot(v, v, k)), k);
    return v;
  }

  private static void reflect(double[] column, double[] reflector, int k) {
    Vectors.add(column, -2 * Vectors.dot(column, reflector, k), reflector, k);
  }
}
