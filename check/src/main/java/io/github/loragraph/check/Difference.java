package io.github.loragraph.check;

/**
 * The largest difference between numbers and those that they should be.
 *
 * @param largest NaN where a number is none
 * @param where names the number with both values
 */
public record Difference(double largest, String where) {
  /** Between nothing and nothing. */
  public static final Difference NONE = new Difference(0, "");

  /** Of one number. */
  public static Difference of(String what, double expected, double actual) {
    return new Difference(
        Math.abs(expected - actual),
        "%s: expected %s but was %s".formatted(what, expected, actual));
  }

  /** Of numbers in the same order. */
  public static Difference of(String what, double[] expected, float[] actual) {
    if (expected.length != actual.length) {
      throw new AssertionError(
          "%s: expected %d numbers but were %d".formatted(what, expected.length, actual.length));
    }
    int at = -1;
    double largest = 0;
    for (int i = 0; i < expected.length; i++) {
      double difference = Math.abs(expected[i] - actual[i]);
      if (at < 0 || difference > largest || Double.isNaN(difference)) {
        largest = difference;
        at = i;
      }
      if (Double.isNaN(difference)) {
        break;
      }
    }
    return at < 0 ? NONE : of("%s[%d]".formatted(what, at), expected[at], actual[at]);
  }

  /** The larger of two; one that is no number is larger than any. */
  public Difference or(Difference other) {
    return Double.isNaN(largest) || largest >= other.largest ? this : other;
  }

  /** Whether no number is further off. */
  public boolean isWithin(double tolerance) {
    return largest <= tolerance;
  }
}
