package io.github.loragraph.data;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.HalfPrecision;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The numbers of one example in one tensor of a batch, row-major: integers of 32 bits or floats,
 * with a shape that has one axis less than the batch. Immutable.
 */
public final class Values {
  private static final int SHARED = 1024;
  private static final int[] ONES = filled(1);
  private static final int[] ZEROS = filled(0);

  /**
   * An {@code int[]} or a {@code float[]}, which may be longer than what the shape counts, or
   * {@link Stored}.
   */
  private final Object numbers;

  /**
   * Numbers that are read where they lie.
   *
   * @param bytes little-endian
   * @param half whether they are FLOAT16, else FLOAT
   */
  private record Stored(ByteBuffer bytes, boolean half) {
    double get(int index) {
      return half
          ? HalfPrecision.toFloat(bytes.getShort(index * Short.BYTES))
          : bytes.getFloat(index * Float.BYTES);
    }
  }

  private final int[] shape;

  private Values(Object numbers, int... shape) {
    this.numbers = numbers;
    this.shape = shape;
  }

  private static int[] filled(int value) {
    int[] values = new int[SHARED];
    Arrays.fill(values, value);
    return values;
  }

  public static Values scalar(int value) {
    return new Values(new int[] {value});
  }

  public static Values scalar(float value) {
    return new Values(new float[] {value});
  }

  /** Integers along one axis; the array must not change any more. */
  public static Values of(int... values) {
    return new Values(values, values.length);
  }

  /** Numbers along one axis; the array must not change any more. */
  public static Values of(float... values) {
    return new Values(values, values.length);
  }

  /** Integers of any shape; the array must not change any more. */
  public static Values shaped(int[] values, int... shape) {
    return new Values(values, shape);
  }

  /** Numbers of any shape; the array must not change any more. */
  public static Values shaped(float[] values, int... shape) {
    return new Values(values, shape);
  }

  /**
   * Numbers of any shape that lie in memory which must not change any more.
   *
   * @param bytes little-endian
   * @param half whether they are FLOAT16, else FLOAT
   */
  static Values stored(ByteBuffer bytes, boolean half, int... shape) {
    return new Values(new Stored(bytes, half), shape);
  }

  /** The integer 1, as often as given: a mask that hides nothing. Memory is shared. */
  public static Values ones(int length) {
    return new Values(length <= SHARED ? ONES : filledTo(length, 1), length);
  }

  /** The integer 0, as often as given. Memory is shared. */
  public static Values zeros(int length) {
    return new Values(length <= SHARED ? ZEROS : new int[length], length);
  }

  private static int[] filledTo(int length, int value) {
    int[] values = new int[length];
    Arrays.fill(values, value);
    return values;
  }

  public int rank() {
    return shape.length;
  }

  public int size(int axis) {
    return shape[axis];
  }

  public int count() {
    int count = 1;
    for (int size : shape) {
      count *= size;
    }
    return count;
  }

  public boolean areIntegers() {
    return numbers instanceof int[];
  }

  /** A number by its place in row-major order. */
  public double get(int index) {
    if (numbers instanceof int[] integers) {
      return integers[index];
    }
    return numbers instanceof Stored stored ? stored.get(index) : ((float[]) numbers)[index];
  }

  /**
   * One part along the first axis, without that axis.
   *
   * @param index along the first axis
   * @param length of what is then the only axis: the numbers after it are left out
   */
  public Values part(int index, int length) {
    if (rank() != 2 || length > shape[1]) {
      throw new IllegalArgumentException(
          "no part of %d in %s".formatted(length, Arrays.toString(shape)));
    }
    int from = index * shape[1];
    if (numbers instanceof Stored) {
      throw new IllegalStateException("no part of what is stored");
    }
    return numbers instanceof int[] integers
        ? of(Arrays.copyOfRange(integers, from, from + length))
        : of(Arrays.copyOfRange((float[]) numbers, from, from + length));
  }

  /** The numbers in row-major order, copied. */
  public float[] toFloats() {
    float[] floats = new float[count()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) get(i);
    }
    return floats;
  }

  /** The numbers in row-major order, copied. */
  public double[] toDoubles() {
    double[] doubles = new double[count()];
    for (int i = 0; i < doubles.length; i++) {
      doubles[i] = get(i);
    }
    return doubles;
  }

  /** One integer in this shape. */
  Values filledWith(int value) {
    int[] values = new int[count()];
    Arrays.fill(values, value);
    return new Values(values, shape);
  }

  /** The same numbers without axes where there is just one number. */
  Values squeezed() {
    return count() == 1 ? new Values(numbers) : this;
  }

  /**
   * Appends the numbers to a buffer, filled up to a larger shape at the end of each axis.
   *
   * @param padded of the same rank, nowhere smaller
   */
  void append(ByteBuffer out, ElementType type, double filler, int[] padded) {
    append(out, type, filler, padded, 0, 0);
  }

  private int append(
      ByteBuffer out, ElementType type, double filler, int[] padded, int axis, int start) {
    if (axis == shape.length) {
      put(out, type, get(start));
      return start + 1;
    }
    int next = start;
    for (int i = 0; i < shape[axis]; i++) {
      next = append(out, type, filler, padded, axis + 1, next);
    }
    int missing = padded[axis] - shape[axis];
    for (int inner = axis + 1; inner < padded.length; inner++) {
      missing *= padded[inner];
    }
    for (int i = 0; i < missing; i++) {
      put(out, type, filler);
    }
    return next;
  }

  private static void put(ByteBuffer out, ElementType type, double value) {
    switch (type) {
      case INT64 -> out.putLong((long) value);
      case INT32 -> out.putInt((int) value);
      case FLOAT -> out.putFloat((float) value);
      case DOUBLE -> out.putDouble(value);
      case BOOL -> out.put((byte) (value != 0 ? 1 : 0));
      default -> throw new IllegalArgumentException("no numbers of type " + type);
    }
  }

  @Override
  public boolean equals(Object other) {
    if (!(other instanceof Values v) || !Arrays.equals(shape, v.shape)) {
      return false;
    }
    for (int i = 0; i < count(); i++) {
      if (get(i) != v.get(i)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int hashCode() {
    int hash = Arrays.hashCode(shape);
    for (int i = 0; i < count(); i++) {
      hash = 31 * hash + Double.hashCode(get(i));
    }
    return hash;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(Arrays.toString(shape)).append(": ");
    for (int i = 0; i < count(); i++) {
      text.append(i == 0 ? "" : " ").append(get(i));
    }
    return text.toString();
  }
}
