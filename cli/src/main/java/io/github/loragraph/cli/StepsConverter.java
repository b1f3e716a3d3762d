package io.github.loragraph.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a number of steps; {@code none} is 0, and less is refused. */
final class StepsConverter implements ITypeConverter<Long> {
  @Override
  public Long convert(String value) {
    long steps;
    try {
      steps = value.equals("none") ? 0 : Long.parseLong(value);
    } catch (NumberFormatException e) {
      throw new TypeConversionException("'" + value + "' is no number of steps");
    }
    if (steps < 0) {
      throw new TypeConversionException(
          "'%s' is no number of steps: give 1 or more, or 0 for none".formatted(value));
    }
    return steps;
  }
}
