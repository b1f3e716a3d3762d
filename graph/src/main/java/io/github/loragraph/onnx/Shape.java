package io.github.loragraph.onnx;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The shape of a value as far as it is known: a rank and, for each axis, a number, a symbol (equal
 * symbols are equal numbers) or nothing.
 */
public record Shape(List<Dimension> dimensions) {

  /**
   * One axis.
   *
   * @param size the number of entries, or -1 where it is not known before the run
   * @param symbol the name that the model gives to an unknown size, or null
   */
  public record Dimension(long size, @Nullable String symbol) {
    public static Dimension of(long size) {
      return new Dimension(size, null);
    }

    public static Dimension named(String symbol) {
      return new Dimension(-1, symbol);
    }

    public static Dimension unknown() {
      return new Dimension(-1, null);
    }

    public boolean isKnown() {
      return size >= 0;
    }

    /** Whether both surely are the same number in every run. */
    public boolean surelyEquals(Dimension other) {
      return isKnown() ? size == other.size : symbol != null && symbol.equals(other.symbol);
    }

    @Override
    public String toString() {
      return isKnown() ? Long.toString(size) : symbol != null ? symbol : "?";
    }
  }

  public Shape {
    dimensions = List.copyOf(dimensions);
  }

  public static Shape of(long... sizes) {
    return new Shape(
        Arrays.stream(sizes)
            .mapToObj(size -> size < 0 ? Dimension.unknown() : Dimension.of(size))
            .toList());
  }

  public int rank() {
    return dimensions.size();
  }

  /** The axis, counted from the end where negative. */
  public Dimension dimension(int axis) {
    return dimensions.get(axis < 0 ? axis + rank() : axis);
  }

  public boolean isStatic() {
    return dimensions.stream().allMatch(Dimension::isKnown);
  }

  /** The sizes of a shape that is known whole. */
  public long[] sizes() {
    if (!isStatic()) {
      throw new IllegalStateException("not a static shape: " + this);
    }
    return dimensions.stream().mapToLong(Dimension::size).toArray();
  }

  /** Whether both surely are the same shape in every run. */
  public boolean surelyEquals(Shape other) {
    if (rank() != other.rank()) {
      return false;
    }
    for (int i = 0; i < rank(); i++) {
      if (!dimension(i).surelyEquals(other.dimension(i))) {
        return false;
      }
    }
    return true;
  }

  @Override
  public String toString() {
    return dimensions.stream().map(Dimension::toString).collect(Collectors.joining(",", "[", "]"));
  }
}
