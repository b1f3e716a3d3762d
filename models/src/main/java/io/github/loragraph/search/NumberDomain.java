package io.github.loragraph.search;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Numbers between two ends, which are seen as positions between 0 and 1. */
public sealed interface NumberDomain extends Domain permits RealRange, IntegerRange {
  /** Where a value lies between the ends: by its logarithm where the domain is logarithmic. */
  double position(Object value);

  /** The value at a position from 0 to 1. */
  Object value(double position);

  /**
   * How wide the part of [0, 1] is whose positions give the value: 0 for real numbers, which have a
   * density and no probability.
   */
  double width(Object value);

  @Override
  default Object draw(Random random) {
    return value(random.nextDouble());
  }

  @Override
  default List<Object> grid(int points) {
    Set<Object> values = new LinkedHashSet<>();
    for (int i = 0; i < points; i++) {
      values.add(value(points == 1 ? 0.5 : i / (points - 1.0)));
    }
    return List.copyOf(values);
  }
}
