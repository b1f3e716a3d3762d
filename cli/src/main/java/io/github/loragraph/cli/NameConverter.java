package io.github.loragraph.cli;

import java.util.Arrays;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads one of several values by its name on the command line, which its text form is. */
abstract class NameConverter<T> implements ITypeConverter<T> {
  private final T[] values;

  NameConverter(T[] values) {
    this.values = values;
  }

  @Override
  public final T convert(String name) {
    return Arrays.stream(values)
        .filter(value -> value.toString().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "'%s' is not one of: %s"
                        .formatted(
                            name,
                            Arrays.stream(values)
                                .map(Object::toString)
                                .collect(Collectors.joining(", ")))));
  }
}
