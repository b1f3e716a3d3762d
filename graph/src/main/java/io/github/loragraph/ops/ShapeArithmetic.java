package io.github.loragraph.ops;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongBinaryOperator;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Arithmetic on sizes and places: one-dimensional INT64 values, which are constants as far as
 * shapes are known and are worked out while the graph runs where they are not. Binary operators
 * take vectors of the same length, or of length 1.
 */
public final class ShapeArithmetic {
  /** No end: all axes that follow. */
  private static final int END = Integer.MAX_VALUE;

  private final TypedGraphBuilder g;

  ShapeArithmetic(TypedGraphBuilder g) {
    this.g = g;
  }

  /** The shape of a value of the forward graph. */
  public String of(String value) {
    return of(value, 0, END);
  }

  /** The size of one axis, counted from the end where negative, as a vector of length 1. */
  public String of(String value, long axis) {
    return of(value, axis, axis == -1 ? END : axis + 1);
  }

  /** The sizes of all axes before the given one. */
  public String before(String value, long axis) {
    return of(value, 0, axis);
  }

  /** The sizes of all axes behind the given one. */
  public String behind(String value, long axis) {
    return axis == -1 ? g.longs() : of(value, axis + 1, END);
  }

  /** The sizes of the axes that another vector names; negative ones count from the end. */
  public String at(String value, String axes) {
    long[] numbers = numbers(axes);
    Shape shape = g.shapeOf(value);
    if (numbers != null
        && shape != null
        && Arrays.stream(numbers).allMatch(axis -> shape.dimension((int) axis).isKnown())) {
      return g.longs(
          Arrays.stream(numbers).map(axis -> shape.dimension((int) axis).size()).toArray());
    }
    if (numbers != null && numbers.length == 1) {
      return of(value, numbers[0]);
    }
    return g.gather(g.shape(value), axes, 0);
  }

  /** The sizes of the axes from one to before another, as operator Shape counts them. */
  private String of(String value, long start, long end) {
    Shape shape = g.shapeOf(value);
    if (shape != null) {
      int rank = shape.rank();
      int from = (int) (start < 0 ? start + rank : start);
      int to = (int) Math.min(rank, end < 0 ? end + rank : end);
      List<Shape.Dimension> part = shape.dimensions().subList(from, Math.max(from, to));
      if (part.stream().allMatch(Shape.Dimension::isKnown)) {
        return g.longs(part.stream().mapToLong(Shape.Dimension::size).toArray());
      }
    }
    if (start == 0 && end == END) {
      return g.shape(value);
    }
    return g.shapePart(value, start, end == END ? null : end);
  }

  /** Vectors one behind the other; neighbouring constants become one. */
  public String join(String... parts) {
    List<String> joined = new ArrayList<>();
    long @Nullable [] run = null;
    for (String part : parts) {
      long[] numbers = numbers(part);
      if (numbers == null) {
        addRun(joined, run);
        run = null;
        joined.add(part);
      } else {
        run = run == null ? numbers : concat(run, numbers);
      }
    }
    if (joined.isEmpty()) {
      return run == null ? g.longs() : g.longs(run);
    }
    addRun(joined, run);
    return joined.size() == 1 ? joined.get(0) : g.concat(0, joined.toArray(String[]::new));
  }

  private void addRun(List<String> joined, long @Nullable [] run) {
    if (run != null && run.length > 0) {
      joined.add(g.longs(run));
    }
  }

  private static long[] concat(long[] a, long[] b) {
    return LongStream.concat(Arrays.stream(a), Arrays.stream(b)).toArray();
  }

  public String add(String a, String b) {
    return isZero(b) ? a : isZero(a) ? b : folded("Add", a, b, Long::sum);
  }

  public String subtract(String a, String b) {
    return isZero(b) ? a : folded("Sub", a, b, (x, y) -> x - y);
  }

  public String min(String a, String b) {
    return folded("Min", a, b, Math::min);
  }

  public String max(String a, String b) {
    return folded("Max", a, b, Math::max);
  }

  private boolean isZero(String vector) {
    long[] numbers = numbers(vector);
    return numbers != null && numbers.length == 1 && numbers[0] == 0;
  }

  private String folded(String operator, String a, String b, LongBinaryOperator function) {
    long[] x = numbers(a);
    long[] y = numbers(b);
    if (x == null || y == null) {
      return g.op(operator, a, b);
    }
    long[] result = new long[x.length == 1 ? y.length : x.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = function.applyAsLong(x[x.length == 1 ? 0 : i], y[y.length == 1 ? 0 : i]);
    }
    return g.longs(result);
  }

  /**
   * The numbers of a vector that is the same in every run, or null.
   *
   * @param vector may be empty for an input left out
   */
  public long @Nullable [] numbers(String vector) {
    Tensor tensor = vector.isEmpty() ? null : g.constant(vector);
    return tensor == null ? null : tensor.toLongs();
  }

  /**
   * The {@code pads} of a Pad that is told no axes. (Where it is told some, ONNX Runtime 1.28 moves
   * a Transpose past it and reads the pads of one axis as those of all.)
   *
   * @param value of the forward graph, of the rank of what is padded
   * @param before how much to put in front along each of the axes
   * @param after how much behind
   * @param axes a vector; empty for all in their order
   */
  public String pads(String value, String before, String after, String axes) {
    if (axes.isEmpty()) {
      return join(before, after);
    }
    int rank = g.rank(value);
    long[] places = numbers(axes);
    if (rank < 0 || places == null) {
      String zeros = g.constantOfShape(g.shape(g.shape(value)), ElementType.INT64, 0);
      return join(
          g.op("ScatterElements", zeros, axes, before),
          g.op("ScatterElements", zeros, axes, after));
    }
    String[] all = new String[2 * rank];
    Arrays.fill(all, g.longs(0));
    for (int i = 0; i < places.length; i++) {
      int axis = (int) (places[i] < 0 ? places[i] + rank : places[i]);
      all[axis] = entry(before, i, places.length);
      all[rank + axis] = entry(after, i, places.length);
    }
    return join(all);
  }

  /** One entry of a vector, as a vector of length 1. */
  private String entry(String vector, int index, int length) {
    long[] numbers = numbers(vector);
    if (numbers != null) {
      return g.longs(numbers[index]);
    }
    return length == 1 ? vector : g.gather(vector, g.longs(index), 0);
  }

  /** The vector 0, 1, 2, ... with as many entries as another vector has. */
  public String counting(String vector) {
    Shape shape = g.shapeOf(vector);
    long[] numbers = numbers(vector);
    long count =
        numbers != null
            ? numbers.length
            : shape != null && shape.isStatic() ? shape.sizes()[0] : -1;
    if (count >= 0) {
      return g.longs(LongStream.range(0, count).toArray());
    }
    return range(g.op("Size", vector));
  }

  /** The vector 0, 1, 2, ... up to before a scalar. */
  String range(String count) {
    return g.op("Range", g.scalar(ElementType.INT64, 0), count, g.scalar(ElementType.INT64, 1));
  }

  /** As many ones as another vector has entries. */
  public String ones(String vector) {
    long[] numbers = numbers(vector);
    if (numbers == null) {
      return g.constantOfShape(g.shape(vector), ElementType.INT64, 1);
    }
    long[] ones = new long[numbers.length];
    Arrays.fill(ones, 1);
    return g.longs(ones);
  }

  /**
   * An integer input of the forward graph as INT64, without a node where it is a constant or is
   * INT64 already.
   */
  public String int64(String vector) {
    long[] numbers = numbers(vector);
    if (numbers != null) {
      return g.longs(numbers);
    }
    return g.elementType(vector) == ElementType.INT64 ? vector : g.cast(vector, ElementType.INT64);
  }
}
