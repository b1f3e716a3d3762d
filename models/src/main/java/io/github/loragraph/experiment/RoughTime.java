package io.github.loragraph.experiment;

import java.time.Duration;
import java.util.Locale;

/** A time for people, as exact as an estimate is. */
public final class RoughTime {
  private static final int MINUTE = 60;

  private RoughTime() {}

  /** {@code 90 s}, {@code 7 min}, {@code 2.5 h}. */
  public static String words(Duration time) {
    long seconds = Math.max(1, time.toSeconds());
    return seconds < 2 * MINUTE
        ? seconds + " s"
        : seconds < 2 * MINUTE * MINUTE
            ? seconds / MINUTE + " min"
            : String.format(Locale.ROOT, "%.1f h", seconds / (double) (MINUTE * MINUTE));
  }
}
