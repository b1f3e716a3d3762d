package io.github.loragraph.linalg;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * The largest singular values of a matrix and their vectors, by a block Krylov space (Golub, Luk
 * and Overton, 1981): products with the matrix instead of a decomposition of all of it. The block
 * is wider than what is asked for, so that singular values that are equal are all found.
 */
final class LeadingSvd {
  private static final int WIDER = 4;

  /** How near A' u = s v has to hold, beside the largest singular value. */
  private static final double TOLERANCE = 1e-8;

  private final Matrix matrix;
  private final Matrix turned;
  private final List<double[]> basis = new ArrayList<>();
  private final List<double[]> images = new ArrayList<>();

  private LeadingSvd(Matrix matrix) {
    this.matrix = matrix;
    this.turned = matrix.transposed();
  }

  /** See {@link Svd#leading}; the matrix is finite, with numbers near 1. */
  static Svd of(Matrix matrix, int count) {
    int most = Math.min(matrix.rows(), matrix.columns()) / 2;
    int width = count + WIDER;
    return width * 2 > most
        ? Svd.of(matrix).truncated(count)
        : new LeadingSvd(matrix).search(count, width, most);
  }

  private Svd search(int count, int width, int most) {
    Random random = new Random(0);
    double[][] block = new double[width][];
    for (int i = 0; i < width; i++) {
      block[i] = random.doubles(matrix.columns(), -1, 1).toArray();
    }
    int looked = 0;
    while (basis.size() + width <= most) {
      int before = basis.size();
      for (double[] direction : block) {
        addDirection(direction);
      }
      int added = basis.size() - before;
      if (added == 0) {
        // The space holds all that the block leads to.
        return projected(count);
      }
      double[][] image = times(basis.subList(before, basis.size()), turned);
      images.addAll(Arrays.asList(image));
      if (basis.size() >= looked * 5 / 4) {
        looked = basis.size();
        Svd found = projected(count);
        if (isNear(found)) {
          return found;
        }
      }
      block = times(images.subList(before, basis.size()), matrix);
    }
    return Svd.of(matrix).truncated(count);
  }

  private void addDirection(double[] direction) {
    double whole = Math.sqrt(Vectors.dot(direction, direction));
    for (int pass = 0; pass < 2; pass++) {
      for (double[] known : basis) {
        Vectors.add(direction, -Vectors.dot(direction, known), known, 0);
      }
    }
    double left = Math.sqrt(Vectors.dot(direction, direction));
    if (left > 1e-13 * whole) {
      Vectors.scale(direction, 1 / left, 0);
      // What was left of much is orthogonal only when it is swept again at its own size.
      for (double[] known : basis) {
        Vectors.add(direction, -Vectors.dot(direction, known), known, 0);
      }
      Vectors.scale(direction, 1 / Math.sqrt(Vectors.dot(direction, direction)), 0);
      basis.add(direction);
    }
  }

  private static double[][] times(List<double[]> rows, Matrix right) {
    Matrix left = Matrix.ofRows(right.rows(), rows.toArray(double[][]::new));
    Matrix product = left.times(right);
    double[][] result = new double[rows.size()][];
    for (int i = 0; i < result.length; i++) {
      result[i] = product.row(i);
    }
    return result;
  }

  /** The best that the space has. */
  private Svd projected(int count) {
    Matrix image = Matrix.ofRows(matrix.rows(), images.toArray(double[][]::new)).transposed();
    Svd small = Svd.of(image).truncated(count);
    Matrix space = Matrix.ofRows(matrix.columns(), basis.toArray(double[][]::new)).transposed();
    return new Svd(small.u(), small.values(), space.times(small.v()));
  }

  private boolean isNear(Svd svd) {
    Matrix residual = turned.times(svd.u()).minus(svd.v().timesDiagonal(svd.values())).transposed();
    for (int i = 0; i < residual.rows(); i++) {
      double[] row = residual.row(i);
      if (Math.sqrt(Vectors.dot(row, row)) > TOLERANCE * svd.values()[0]) {
        return false;
      }
    }
    return true;
  }
}
