package io.github.loragraph.trainer;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.ProcFile;
import io.github.loragraph.ort.Device;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the process of a training may take at its peak, and what a step keeps for it.
 *
 * @param bytes 0 for no limit
 * @param recomputed how many pieces of the layers are computed a second time; {@link #OPEN} where
 *     that is still to choose
 */
public record MemoryLimit(long bytes, int recomputed) {
  /** A training that takes what it takes. */
  public static final MemoryLimit NONE = new MemoryLimit(0, 0);

  private static final int OPEN = -1;
  private static final Pattern SIZE = Pattern.compile("(\\d{1,19}(?:\\.\\d{1,9})?)([KMGT]?)B?");

  /** A number without a unit that has fewer is taken for one whose unit was forgotten. */
  private static final int DIGITS_OF_BYTES = 7;

  private static final String UNITS = "KMGT";
  private static final double GIGABYTE = 1e9;

  /** What words tell apart. */
  private static final long SHOWN = 10_000_000;

  /**
   * @param bytes 1 or more
   * @throws LoraGraphException if there are fewer
   */
  public static MemoryLimit of(long bytes) {
    if (bytes < 1) {
      throw new LoraGraphException(
          "a limit of %,d bytes of memory is not possible: give 1 or more".formatted(bytes));
    }
    return new MemoryLimit(bytes, OPEN);
  }

  /**
   * Reads a number of bytes, or of thousands, millions, billions or trillions of them: 1500M or
   * 1.5G; {@code none} for no limit.
   *
   * @throws LoraGraphException if the text is none
   */
  public static MemoryLimit parse(String text) {
    if (text.strip().equalsIgnoreCase("none")) {
      return NONE;
    }
    Matcher size = SIZE.matcher(text.strip().toUpperCase(Locale.ROOT));
    if (!size.matches()) {
      throw new LoraGraphException(
          "'%s' is no size of memory: give bytes, or a number with K, M, G or T, as 2G or 1500M, or none"
              .formatted(text));
    }
    if (size.group(2).isEmpty() && size.group(1).length() < DIGITS_OF_BYTES) {
      throw new LoraGraphException(
          "'%s' bytes are too few for a training: give a unit, as %sM"
              .formatted(text, size.group(1)));
    }
    int thousands = size.group(2).isEmpty() ? 0 : UNITS.indexOf(size.group(2)) + 1;
    BigDecimal bytes = new BigDecimal(size.group(1)).scaleByPowerOfTen(3 * thousands);
    if (bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
      throw new LoraGraphException("'%s' is more memory than can be counted".formatted(text));
    }
    return of(bytes.setScale(0, RoundingMode.DOWN).longValueExact());
  }

  /**
   * Refuses a limit where nobody can tell what is taken.
   *
   * @throws LoraGraphException if there is one, and the training is on a GPU, or the system does
   *     not say what a process takes
   */
  public void requirePossible(Device device) {
    if (!isSet()) {
      return;
    }
    if (device.isGpu()) {
      throw new LoraGraphException(
          "a limit of memory is for the CPU: what a process takes says nothing of a GPU's memory; train on the device cpu, or without a limit");
    }
    if (ThisProcess.residentBytes().isEmpty()) {
      throw new LoraGraphException(
          "memory cannot be limited here: only Linux tells what a process takes (%s); train without a limit"
              .formatted(ProcFile.SELF));
    }
  }

  /** What a process has come to, beside its limit; empty where there is none. */
  public Optional<String> outcome() {
    OptionalLong peak = ThisProcess.peakBytes();
    return isSet() && peak.isPresent()
        ? Optional.of(
            "memory: the peak was %s, the limit %s"
                .formatted(gigabytes(peak.getAsLong()), gigabytes(bytes)))
        : Optional.empty();
  }

  /** Whether there is one. */
  boolean isSet() {
    return bytes > 0;
  }

  /** Whether it is still to choose what is computed again. */
  boolean isOpen() {
    return recomputed == OPEN;
  }

  /** What is chosen of that; empty where nothing is limited, or it is still to choose. */
  public OptionalInt chosen() {
    return isSet() && !isOpen() ? OptionalInt.of(recomputed) : OptionalInt.empty();
  }

  /** The same when that is chosen. */
  MemoryLimit recomputing(int pieces) {
    return new MemoryLimit(bytes, pieces);
  }

  /** Bytes in words that name no less: a limit of that is enough for them. */
  static String gigabytesUp(long bytes) {
    return gigabytes((bytes - 1) / SHOWN * SHOWN + SHOWN);
  }

  /** Bytes in words. */
  static String gigabytes(long bytes) {
    if (bytes < SHOWN) {
      return "%,d bytes".formatted(bytes);
    }
    return String.format(Locale.ROOT, "%.2f GB", bytes / GIGABYTE);
  }
}
