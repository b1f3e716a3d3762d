package io.github.loragraph.linalg;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** A matrix of double precision, which never changes. Axes may be of size 0. */
public final class Matrix {
  private final int rows;
  private final int columns;
  private final double[] values;

  private Matrix(int rows, int columns, double[] values) {
    if (rows < 0 || columns < 0 || (long) rows * columns != values.length) {
      throw new IllegalArgumentException(
          "%d numbers are no matrix of %d x %d".formatted(values.length, rows, columns));
    }
    this.rows = rows;
    this.columns = columns;
    this.values = values;
  }

  /**
   * A matrix over numbers that their maker will not change any more.
   *
   * @param values row-major; not copied
   */
  public static Matrix of(int rows, int columns, double... values) {
    return new Matrix(rows, columns, values);
  }

  /**
   * A tensor's numbers.
   *
   * @param tensor of two axes, floating point or integer
   */
  public static Matrix of(Tensor tensor) {
    return new Matrix(
        Math.toIntExact(tensor.dim(0)), Math.toIntExact(tensor.dim(1)), tensor.toDoubles());
  }

  static Matrix identity(int size) {
    double[] values = new double[size * size];
    for (int i = 0; i < size; i++) {
      values[i * size + i] = 1;
    }
    return new Matrix(size, size, values);
  }

  public int rows() {
    return rows;
  }

  public int columns() {
    return columns;
  }

  public double get(int row, int column) {
    return values[row * columns + column];
  }

  /** The numbers, row-major, copied. */
  public double[] toArray() {
    return values.clone();
  }

  /** The numbers rounded to single precision, row-major. */
  public float[] toFloats() {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  double[] row(int row) {
    return Arrays.copyOfRange(values, row * columns, (row + 1) * columns);
  }

  /** Rows of one length as a matrix. */
  static Matrix ofRows(int columns, double[]... rows) {
    double[] values = new double[rows.length * columns];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, values, i * columns, columns);
    }
    return new Matrix(rows.length, columns, values);
  }

  public Matrix transposed() {
    double[] turned = new double[values.length];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        turned[j * rows + i] = values[i * columns + j];
      }
    }
    return new Matrix(columns, rows, turned);
  }

  /** The matrix product. */
  public Matrix times(Matrix right) {
    if (columns != right.rows) {
      throw new IllegalArgumentException("%s times %s".formatted(this, right));
    }
    double[] product = new double[Math.multiplyExact(rows, right.columns)];
    for (int i = 0; i < rows; i++) {
      int at = i * right.columns;
      for (int k = 0; k < columns; k++) {
        double factor = values[i * columns + k];
        int from = k * right.columns;
        for (int j = 0; j < right.columns; j++) {
          product[at + j] += factor * right.values[from + j];
        }
      }
    }
    return new Matrix(rows, right.columns, product);
  }

  public Matrix times(double factor) {
    return new Matrix(rows, columns, Arrays.stream(values).map(v -> v * factor).toArray());
  }

  public Matrix plus(Matrix other) {
    if (rows != other.rows || columns != other.columns) {
      throw new IllegalArgumentException("%s plus %s".formatted(this, other));
    }
    return new Matrix(
        rows,
        columns,
        IntStream.range(0, values.length).mapToDouble(i -> values[i] + other.values[i]).toArray());
  }

  public Matrix minus(Matrix other) {
    return plus(other.times(-1));
  }

  /** Each column times a number of its own. */
  public Matrix timesDiagonal(double... diagonal) {
    double[] scaled = values.clone();
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] *= diagonal[i % columns];
    }
    return new Matrix(rows, columns, scaled);
  }

  /** The rows of several matrices of one width, one below the other. */
  public static Matrix stacked(List<Matrix> parts) {
    int columns = parts.get(0).columns;
    double[] values = new double[columns * parts.stream().mapToInt(p -> p.rows).sum()];
    int at = 0;
    for (Matrix part : parts) {
      if (part.columns != columns) {
        throw new IllegalArgumentException("%s below %s".formatted(part, parts.get(0)));
      }
      System.arraycopy(part.values, 0, values, at, part.values.length);
      at += part.values.length;
    }
    return new Matrix(values.length / Math.max(1, columns), columns, values);
  }

  /** The first rows. */
  public Matrix firstRows(int count) {
    return new Matrix(count, columns, Arrays.copyOf(values, count * columns));
  }

  /** The first columns. */
  public Matrix firstColumns(int count) {
    double[] left = new double[rows * count];
    for (int i = 0; i < rows; i++) {
      System.arraycopy(values, i * columns, left, i * count, count);
    }
    return new Matrix(rows, count, left);
  }

  /** The largest absolute value; NaN where a number is none, 0 of no numbers. */
  public double maxAbs() {
    double max = 0;
    for (double value : values) {
      max = Math.max(max, Math.abs(value));
    }
    return max;
  }

  /** The square root of the sum of the squares, which may be beyond what double precision holds. */
  public double frobeniusNorm() {
    int exponent = exponent();
    double sum = 0;
    for (double value : values) {
      double scaled = Math.scalb(value, -exponent);
      sum += scaled * scaled;
    }
    return Math.scalb(Math.sqrt(sum), exponent);
  }

  /** The power of two that brings the largest number near 1; 0 for a matrix of zeros. */
  int exponent() {
    double max = maxAbs();
    return max == 0 || !Double.isFinite(max) ? 0 : Math.getExponent(max);
  }

  Matrix scaledBy(int exponent) {
    return exponent == 0
        ? this
        : new Matrix(
            rows, columns, Arrays.stream(values).map(v -> Math.scalb(v, exponent)).toArray());
  }

  /**
   * @throws LoraGraphException if a number is NaN or infinite
   */
  void requireFinite() {
    if (!Double.isFinite(maxAbs())) {
      throw new LoraGraphException(
          "a matrix of %s has numbers that are NaN or infinite: it cannot be decomposed"
              .formatted(this));
    }
  }

  @Override
  public String toString() {
    return rows + " x " + columns;
  }
}
