package io.github.loragraph.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * An entry of PEFT's {@code rank_pattern} or {@code alpha_pattern}, KEY=NUMBER.
 *
 * @param key an expression for the end of a module path; it may have a {@code =}
 */
record KeyedNumber(String key, double number) {
  /** Reads one. */
  static final class Converter implements ITypeConverter<KeyedNumber> {
    @Override
    public KeyedNumber convert(String value) {
      int at = value.lastIndexOf('=');
      try {
        if (at > 0) {
          return new KeyedNumber(
              value.substring(0, at), Double.parseDouble(value.substring(at + 1)));
        }
      } catch (NumberFormatException e) {
        // Said below.
      }
      throw new TypeConversionException("'%s' is not KEY=NUMBER, as query=16".formatted(value));
    }
  }

  /** The number where it is to be a whole one. */
  int whole() {
    if (number != Math.rint(number) || Math.abs(number) > Integer.MAX_VALUE) {
      throw new TypeConversionException(
          "the rank of '%s' is %s, and must be a whole number".formatted(key, number));
    }
    return (int) number;
  }
}
