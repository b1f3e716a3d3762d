package io.github.loragraph.adapter;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The order of names in which layer 10 comes after layer 9. */
final class NumberedNames {
  private static final Pattern NUMBER = Pattern.compile("(?<![0-9])0*([0-9]+)");

  /** Numbers are compared by their length first, so by their value. */
  static final Comparator<String> ORDER =
      Comparator.comparing(NumberedNames::padded).thenComparing(Comparator.naturalOrder());

  private NumberedNames() {}

  private static String padded(String name) {
    return NUMBER
        .matcher(name)
        .replaceAll(
            found ->
                Matcher.quoteReplacement(
                    "%08d".formatted(found.group(1).length()) + found.group(1)));
  }

  static <T> Map<String, T> sorted(Map<String, T> byName) {
    Map<String, T> sorted = new TreeMap<>(ORDER);
    sorted.putAll(byName);
    return new LinkedHashMap<>(sorted);
  }
}
