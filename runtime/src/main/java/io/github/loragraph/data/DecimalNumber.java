package io.github.loragraph.data;

import java.util.regex.Pattern;

/** Numbers as files have them. Java takes more for a number: {@code 1f}, {@code 0x1p3}, NaN. */
public final class DecimalNumber {
  private static final Pattern DECIMAL =
      Pattern.compile("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");

  private DecimalNumber() {}

  /** Whether a text is a number in decimal notation. */
  public static boolean isOne(String text) {
    return DECIMAL.matcher(text).matches();
  }

  /** The number that a text is, in decimal notation; NaN where it is none. */
  public static double parsed(String text) {
    return isOne(text) ? Double.parseDouble(text) : Double.NaN;
  }
}
