package io.github.loragraph.search;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.SettingsLayer;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * Real numbers from {@code low} to {@code high}, both among them, drawn evenly or, where {@code
 * log}, so that their logarithms are even. Values are rounded to about a ten-thousandth of the
 * range, so that they can be read and written down.
 */
public record RealRange(double low, double high, boolean log) implements NumberDomain {
  private static final int DIGITS = 4;

  /**
   * @throws LoraGraphException if an end is no finite number, they are in the wrong order, or one
   *     has no logarithm where that is asked for
   */
  public RealRange {
    if (!Double.isFinite(low) || !Double.isFinite(high)) {
      throw new LoraGraphException("the ends %s and %s are not finite".formatted(low, high));
    }
    if (low > high) {
      throw new LoraGraphException(
          "the lower end %s is above the upper, %s: exchange them"
              .formatted(SettingsLayer.text(low), SettingsLayer.text(high)));
    }
    if (log && low <= 0) {
      throw new LoraGraphException(
          "a logarithmic range needs ends above 0, and the lower is " + SettingsLayer.text(low));
    }
  }

  private double inner(double value) {
    return log ? StrictMath.log(value) : value;
  }

  @Override
  public double position(Object value) {
    double from = inner(low);
    double to = inner(high);
    // Halves, since the ends may be further apart than a double can say.
    double span = to / 2 - from / 2;
    double at = (inner(((Number) value).doubleValue()) / 2 - from / 2) / span;
    return span == 0 ? 0.5 : Math.min(1, Math.max(0, at));
  }

  @Override
  public Object value(double position) {
    if (position <= 0 || low == high) {
      return low;
    }
    if (position >= 1) {
      return high;
    }
    double at = inner(low) * (1 - position) + inner(high) * position;
    double exact = log ? StrictMath.exp(at) : at;
    return Math.min(high, Math.max(low, rounded(exact)));
  }

  /** Log ranges keep significant digits, linear ones a step: more of both in a narrow range. */
  private double rounded(double exact) {
    if (!Double.isFinite(exact) || exact == 0) {
      return exact;
    }
    BigDecimal decimal = new BigDecimal(exact);
    if (log) {
      double ratio = StrictMath.log(high) - StrictMath.log(low);
      int digits = DIGITS + (int) Math.max(0, Math.ceil(-StrictMath.log10(ratio)));
      return decimal
          .round(new MathContext(Math.min(17, digits), RoundingMode.HALF_EVEN))
          .doubleValue();
    }
    int scale = DIGITS - (int) Math.floor(StrictMath.log10(high / 2 - low / 2));
    return decimal.setScale(scale, RoundingMode.HALF_EVEN).doubleValue();
  }

  @Override
  public double width(Object value) {
    return 0;
  }

  @Override
  public long size() {
    return low == high ? 1 : UNCOUNTED;
  }
}
