package io.github.loragraph.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a number of steps; {@code none} is 0. */
final class StepsConverter implements ITypeConverter<Long> {
  @Override
  public Long convert(String value) {
    if (value.equals("none")) {
      return 0L;
    }
    try {
      return Long.valueOf(value);
    } catch (NumberFormatException e) {
      throw new TypeConversionException("'" + value + "' is no number of steps");
    }
  }
}
