package io.github.loragraph.cli;

import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Reads one of several values by its name on the command line, which its text form in lower case
 * is; case does not matter, nor do {@code _} and {@code -}. These names are what help and shell
 * completion offer.
 */
abstract class NameConverter<T> implements ITypeConverter<T>, Iterable<String> {
  private final List<T> values;

  NameConverter(T[] values) {
    this.values = List.of(values);
  }

  private static String name(Object value) {
    return value.toString().toLowerCase(Locale.ROOT);
  }

  private static String joined(String name) {
    return name.toLowerCase(Locale.ROOT).replace('_', '-');
  }

  @Override
  public final T convert(String name) {
    return values.stream()
        .filter(value -> joined(name(value)).equals(joined(name)))
        .findFirst()
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "'%s' is not one of: %s"
                        .formatted(
                            name,
                            values.stream()
                                .map(NameConverter::name)
                                .collect(Collectors.joining(", ")))));
  }

  @Override
  public final Iterator<String> iterator() {
    return values.stream().map(NameConverter::name).iterator();
  }
}
