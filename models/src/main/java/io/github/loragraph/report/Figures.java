package io.github.loragraph.report;

import java.util.Locale;

/** Numbers as pages show them. */
final class Figures {
  private static final double LARGE = 1e4;
  private static final double SMALL = 1e-3;
  private static final int MINUTE = 60;

  private Figures() {}

  /** A figure of a measurement: four decimals, unless it is very large or very small. */
  static String figure(double value) {
    if (Double.isNaN(value)) {
      return "\u2013";
    }
    double size = Math.abs(value);
    if (size != 0 && size < SMALL || size >= 1e7) {
      return exponent(String.format(Locale.ROOT, "%.3e", value));
    }
    return String.format(Locale.ROOT, size >= LARGE ? "%,.0f" : "%.4f", value);
  }

  /** How far values lie from a mean, with its decimals. */
  static String spread(double deviation, double mean) {
    return figure(mean).matches("-?\\d+\\.\\d{4}")
        ? String.format(Locale.ROOT, "%.4f", deviation)
        : figure(deviation);
  }

  /** The number of things. */
  static String count(double value) {
    return Double.isNaN(value) ? "\u2013" : String.format(Locale.ROOT, "%,.0f", value);
  }

  /** A rate, or an amount of memory. */
  static String amount(double value) {
    return Double.isNaN(value)
        ? "\u2013"
        : String.format(Locale.ROOT, Math.abs(value) < 100 ? "%.1f" : "%,.0f", value);
  }

  /** A time: 12.3 s, 4 min 05 s, 3 h 12 min. */
  static String time(double seconds) {
    if (Double.isNaN(seconds)) {
      return "\u2013";
    }
    if (seconds < MINUTE) {
      return String.format(Locale.ROOT, "%.1f s", seconds);
    }
    long whole = Math.round(seconds);
    long minutes = whole / MINUTE;
    return minutes < MINUTE
        ? String.format(Locale.ROOT, "%d min %02d s", minutes, whole % MINUTE)
        : String.format(Locale.ROOT, "%d h %02d min", minutes / MINUTE, minutes % MINUTE);
  }

  /**
   * A number at an axis.
   *
   * @param step from one to the next
   */
  static String tick(double value, double step) {
    double size = Math.abs(value);
    if (value == 0) {
      return "0";
    }
    if (step < SMALL && Math.abs(value) < 1) {
      return exponent(String.format(Locale.ROOT, "%.2e", value));
    }
    if (size >= 1e6) {
      return trimmed(String.format(Locale.ROOT, "%.2f", value / 1e6)) + "M";
    }
    int decimals = (int) Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
    // A step of 0.25 has a digit more than its size says.
    if (Math.abs(step * Math.pow(10, decimals) - Math.rint(step * Math.pow(10, decimals))) > 1e-6) {
      decimals++;
    }
    return String.format(Locale.ROOT, "%,." + decimals + "f", value);
  }

  /** A number of a configuration: 5.0E-4 as 5e-4, else as it is written there. */
  static String option(String written) {
    return written.matches("-?\\d+(\\.\\d+)?[eE]-?\\d+")
        ? exponent(written.replace('E', 'e'))
        : written;
  }

  /** {@code 2.000e-04} as 2e-4. */
  private static String exponent(String written) {
    String[] parts = written.split("e", 2);
    return trimmed(parts[0]) + "e" + Integer.parseInt(parts[1]);
  }

  private static String trimmed(String decimals) {
    return decimals.contains(".") ? decimals.replaceAll("\\.?0+$", "") : decimals;
  }
}
