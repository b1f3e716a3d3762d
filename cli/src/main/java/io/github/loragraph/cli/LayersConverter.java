package io.github.loragraph.cli;

import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads numbers of layers, and ranges of them: {@code 0,2-4}. */
final class LayersConverter implements ITypeConverter<SortedSet<Integer>> {
  private static final Pattern PART = Pattern.compile("\\s*(\\d{1,5})(?:\\s*-\\s*(\\d{1,5}))?\\s*");

  @Override
  public SortedSet<Integer> convert(String value) {
    SortedSet<Integer> layers = new TreeSet<>();
    for (String part : value.split(",", -1)) {
      Matcher matcher = PART.matcher(part);
      if (!matcher.matches()) {
        throw new TypeConversionException(
            "'%s' is no list of layers: count from 0, as 0,2-4".formatted(value));
      }
      int first = Integer.parseInt(matcher.group(1));
      int last = matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
      if (last < first) {
        throw new TypeConversionException(
            "'%s' goes down: name the lower layer first".formatted(part.strip()));
      }
      for (int layer = first; layer <= last; layer++) {
        layers.add(layer);
      }
    }
    return layers;
  }
}
