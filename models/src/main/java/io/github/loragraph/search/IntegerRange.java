package io.github.loragraph.search;

import io.github.loragraph.error.LoraGraphException;

/**
 * Whole numbers from {@code low} to {@code high}, both among them. Each has as much of the range as
 * lies nearest to it; where {@code log}, of the range of the logarithms.
 */
public record IntegerRange(long low, long high, boolean log) implements NumberDomain {
  /** Beyond, a double does not tell neighbours apart. */
  private static final long LARGEST = 1L << 52;

  /**
   * @throws LoraGraphException if the ends are in the wrong order or too large, or the lower is
   *     below 1 where logarithms are asked for
   */
  public IntegerRange {
    if (low > high) {
      throw new LoraGraphException(
          "the lower end %d is above the upper, %d: exchange them".formatted(low, high));
    }
    if (low < -LARGEST || high > LARGEST) {
      throw new LoraGraphException(
          "the ends %d and %d are too large: up to %d".formatted(low, high, LARGEST));
    }
    if (log && low < 1) {
      throw new LoraGraphException(
          "a logarithmic range of whole numbers begins at 1 or above, not at " + low);
    }
  }

  private double inner(double value) {
    return log ? StrictMath.log(value) : value;
  }

  private double at(double value) {
    double from = inner(low - 0.5);
    return (inner(value) - from) / (inner(high + 0.5) - from);
  }

  @Override
  public double position(Object value) {
    double number = ((Number) value).doubleValue();
    return (at(number - 0.5) + at(number + 0.5)) / 2;
  }

  @Override
  public Object value(double position) {
    double from = inner(low - 0.5);
    double at = from + position * (inner(high + 0.5) - from);
    return Math.min(high, Math.max(low, Math.round(log ? StrictMath.exp(at) : at)));
  }

  @Override
  public double width(Object value) {
    double number = ((Number) value).doubleValue();
    return at(number + 0.5) - at(number - 0.5);
  }

  @Override
  public long size() {
    return high - low + 1;
  }
}
