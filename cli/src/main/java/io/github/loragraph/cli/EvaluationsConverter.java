package io.github.loragraph.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads how often to evaluate: a number of steps, or {@code epoch}. */
final class EvaluationsConverter implements ITypeConverter<Long> {
  /** Stands for {@code epoch}. */
  static final long EPOCH = -1;

  @Override
  public Long convert(String value) {
    if (value.equals("epoch")) {
      return EPOCH;
    }
    long steps = steps(value);
    if (steps < 0) {
      throw new TypeConversionException(
          "'%s' is no number of steps: give 1 or more, 'epoch', or 0 for none on the way"
              .formatted(value));
    }
    return steps;
  }

  private static long steps(String value) {
    try {
      return value.equals("none") ? 0 : Long.parseLong(value);
    } catch (NumberFormatException e) {
      throw new TypeConversionException(
          "'%s' is neither a number of steps nor 'epoch'".formatted(value));
    }
  }
}
