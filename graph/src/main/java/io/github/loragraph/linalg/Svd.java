package io.github.loragraph.linalg;

import io.github.loragraph.error.LoraGraphException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * A = U diag(s) V', thin: of an (m, n) matrix, with k the smaller of both, U is (m, k) and V (n,
 * k), both with orthonormal columns whatever the rank of A. The signs of the columns of U and V are
 * those that came out.
 *
 * <p>By one-sided Jacobi rotations of what QR leaves (Demmel and Veselić, Jacobi's method is more
 * accurate than QR, 1992): also small singular values come out with most of their digits.
 *
 * @param values s, descending, none negative
 */
public record Svd(Matrix u, double[] values, Matrix v) {
  private static final int MOST_SWEEPS = 60;

  /**
   * Decomposes a matrix. Work: about 20 n² (m + 3n) for n columns; where a few singular values of a
   * large matrix are enough, {@link #leading} is quicker.
   *
   * @throws LoraGraphException if a number is NaN or infinite
   */
  public static Svd of(Matrix matrix) {
    if (matrix.rows() < matrix.columns()) {
      Svd turned = of(matrix.transposed());
      return new Svd(turned.v, turned.values, turned.u);
    }
    matrix.requireFinite();
    int exponent = matrix.exponent();
    Qr qr = Qr.of(matrix.scaledBy(-exponent));
    // The rows of a triangle are nearer to orthogonal than its columns: R' J = W diag(s), so that
    // R = J diag(s) W' and A = (Q J) diag(s) W'.
    int n = matrix.columns();
    double[][] w = new double[n][];
    double[][] j = new double[n][];
    Matrix identity = Matrix.identity(n);
    for (int i = 0; i < n; i++) {
      w[i] = qr.r().row(i);
      j[i] = identity.row(i);
    }
    rotate(w, j);
    double[] norms = Arrays.stream(w).mapToDouble(x -> Math.sqrt(Vectors.dot(x, x))).toArray();
    int[] order =
        IntStream.range(0, n)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -norms[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    double[] values = new double[n];
    double[][] left = new double[n][];
    double[][] right = new double[n][];
    for (int k = 0; k < n; k++) {
      double norm = norms[order[k]];
      values[k] = Math.scalb(norm, exponent);
      left[k] = j[order[k]];
      right[k] = w[order[k]];
      if (norm > 0) {
        Vectors.scale(right[k], 1 / norm, 0);
      } else {
        right[k] = orthogonalTo(right, k);
      }
    }
    return new Svd(
        qr.q().times(Matrix.ofRows(n, left).transposed()),
        values,
        Matrix.ofRows(n, right).transposed());
  }

  /**
   * Decomposes a product of thin matrices without making it: work is that of two QR decompositions
   * and of an (r, r) matrix.
   *
   * @param b (m, r)
   * @param a (r, n)
   * @return of r singular values, or of m or n where those are fewer
   * @throws LoraGraphException if a number is NaN or infinite
   */
  public static Svd ofProduct(Matrix b, Matrix a) {
    Qr first = Qr.of(b);
    Qr second = Qr.of(a.transposed());
    // Each is brought near 1 before they are multiplied: the product of two huge numbers is none.
    int scaleB = first.r().exponent();
    int scaleA = second.r().exponent();
    Matrix inner = first.r().scaledBy(-scaleB).times(second.r().scaledBy(-scaleA).transposed());
    Svd small = of(inner);
    return new Svd(
        first.q().times(small.u), scaled(small.values, scaleB + scaleA), second.q().times(small.v));
  }

  /**
   * The largest singular values of a matrix and their vectors: A' u = s v holds to 1e-8 of the
   * largest one, and the values to about the square of that. Of a large matrix and few values this
   * is less work than {@link #of}. The same matrix always gives the same numbers.
   *
   * @param count how many; all, where there are fewer
   * @throws LoraGraphException if a number is NaN or infinite
   */
  public static Svd leading(Matrix matrix, int count) {
    matrix.requireFinite();
    int exponent = matrix.exponent();
    Svd found = LeadingSvd.of(matrix.scaledBy(-exponent), count);
    return new Svd(found.u, scaled(found.values, exponent), found.v);
  }

  private static double[] scaled(double[] values, int exponent) {
    return Arrays.stream(values).map(s -> Math.scalb(s, exponent)).toArray();
  }

  /** Rotates pairs of rows of w until all are orthogonal; j goes along. */
  private static void rotate(double[][] w, double[][] j) {
    int n = w.length;
    double tolerance = Math.ulp(1.0) * Math.max(4, Math.sqrt(n));
    double[] squares = new double[n];
    boolean rotated = true;
    for (int sweep = 0; rotated && sweep < MOST_SWEEPS; sweep++) {
      rotated = false;
      for (int p = 0; p < n; p++) {
        squares[p] = square(w[p]);
      }
      for (int p = 0; p < n - 1; p++) {
        for (int q = p + 1; q < n; q++) {
          if (squares[p] == 0 || squares[q] == 0) {
            continue;
          }
          double product = Vectors.dot(w[p], w[q]);
          if (Math.abs(product) <= tolerance * Math.sqrt(squares[p]) * Math.sqrt(squares[q])) {
            continue;
          }
          rotated = true;
          double zeta = (squares[q] - squares[p]) / (2 * product);
          double tan = Math.copySign(1, zeta) / (Math.abs(zeta) + Math.hypot(1, zeta));
          double cos = 1 / Math.hypot(1, tan);
          Vectors.rotate(w[p], w[q], cos, cos * tan);
          Vectors.rotate(j[p], j[q], cos, cos * tan);
          squares[p] = updated(squares[p], -tan * product, w[p]);
          squares[q] = updated(squares[q], tan * product, w[q]);
        }
      }
    }
  }

  /** The square of a norm after a rotation: counted again where most of its digits went. */
  private static double updated(double square, double change, double[] row) {
    double sum = square + change;
    return sum < square / 16 ? square(row) : sum;
  }

  /** The square of a norm; rows that are nothing beside numbers near 1 are made zero. */
  private static double square(double[] row) {
    double square = Vectors.dot(row, row);
    if (square < Double.MIN_NORMAL) {
      Arrays.fill(row, 0);
      return 0;
    }
    return square;
  }

  /** A unit vector that is orthogonal to the first rows. */
  private static double[] orthogonalTo(double[][] rows, int count) {
    int n = rows[0].length;
    for (int axis = 0; ; axis++) {
      double[] candidate = new double[n];
      candidate[axis] = 1;
      for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < count; i++) {
          Vectors.add(candidate, -Vectors.dot(candidate, rows[i]), rows[i], 0);
        }
      }
      double norm = Math.sqrt(Vectors.dot(candidate, candidate));
      if (norm * norm > 0.5 / n) {
        Vectors.scale(candidate, 1 / norm, 0);
        return candidate;
      }
    }
  }

  /** The first of all: the nearest matrix of that rank. */
  public Svd truncated(int rank) {
    return rank >= values.length
        ? this
        : new Svd(u.firstColumns(rank), Arrays.copyOf(values, rank), v.firstColumns(rank));
  }

  /** U diag(s) V'. */
  public Matrix product() {
    return leftScaled().times(v.transposed());
  }

  /** U diag(s). */
  public Matrix leftScaled() {
    return u.timesDiagonal(values);
  }
}
