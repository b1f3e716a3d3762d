package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.error.Remedy;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/** The names of a model's classes, in the order of its logits. */
public final class LabelSet {
  /** No data set has more classes: with 384 hidden units a head of so many has 19 M parameters. */
  public static final int MOST = 50_000;

  private static final int MOST_LISTED = 12;
  private static final int LONGEST_LISTED = 40;
  private static final String NUMBER = "[+-]?\\d+(\\.\\d+)?";

  private final List<String> names;
  private final Map<String, Integer> indices = new HashMap<>();
  private final boolean numbers;

  /**
   * @throws LoraGraphException if two classes have the same name
   */
  public LabelSet(List<String> names) {
    this.names = List.copyOf(names);
    for (String name : names) {
      if (indices.putIfAbsent(name, indices.size()) != null) {
        throw new LoraGraphException(
            "two classes have the same name: " + PlainText.shortened(name, LONGEST_LISTED));
      }
    }
    this.numbers = names.stream().allMatch(name -> name.matches(NUMBER));
  }

  /** Classes without names: their numbers. */
  public static LabelSet numbered(int classes) {
    return new LabelSet(IntStream.range(0, classes).mapToObj(Integer::toString).toList());
  }

  /**
   * One class for each different label of some examples, named as it stands there: by size where
   * all are numbers, else sorted by name.
   */
  public static LabelSet of(List<String> labels) {
    Set<String> distinct = new LinkedHashSet<>(labels);
    boolean numbers = distinct.stream().allMatch(label -> label.matches(NUMBER));
    Comparator<String> byName = Comparator.naturalOrder();
    Comparator<String> order =
        numbers
            ? Comparator.comparing((String n) -> new BigDecimal(n)).thenComparing(byName)
            : byName;
    return new LabelSet(distinct.stream().sorted(order).toList());
  }

  /**
   * The classes that rows name.
   *
   * @param namesIn the names in the label of a row
   * @throws LoraGraphException if they are more than {@value #MOST}; it names the line
   */
  public static LabelSet of(List<Row> rows, Function<Row, List<String>> namesIn) {
    Set<String> distinct = new LinkedHashSet<>();
    for (Row row : rows) {
      distinct.addAll(namesIn.apply(row));
      if (distinct.size() > MOST) {
        String what =
            "%s has label number %,d that is new, and a model has at most %,d classes"
                .formatted(row.place(), distinct.size(), MOST);
        throw row.given()
            ? new LoraGraphException(what + ": are they labels?")
            : new LoraGraphException(what, Remedy.CHECK_LABEL_COLUMN);
      }
    }
    return of(List.copyOf(distinct));
  }

  /** The names, in the order of the logits. */
  public List<String> names() {
    return names;
  }

  public int size() {
    return names.size();
  }

  /**
   * The class that a label in a data file means: the one of that name. Where the names are not all
   * numbers themselves, a label may be the number of a class, counted from 0.
   *
   * @return -1 where there is no such class
   */
  public int indexOf(String label) {
    Integer index = indices.get(label);
    if (index != null) {
      return index;
    }
    if (numbers || !label.matches("\\d{1,9}")) {
      return -1;
    }
    int number = Integer.parseInt(label);
    return number < names.size() ? number : -1;
  }

  /**
   * Pairs of classes whose names differ in upper and lower case, spaces or the way in which one
   * number is written alone: likely one class by mistake two.
   *
   * @return names that are alike, two of each
   */
  public List<List<String>> lookalikes() {
    Map<String, String> seen = new HashMap<>();
    List<List<String>> alike = new ArrayList<>();
    for (String name : names) {
      String bare = name.toLowerCase(Locale.ROOT).replaceAll("[\\s_-]+", " ").strip();
      if (name.matches(NUMBER)) {
        bare = new BigDecimal(name).stripTrailingZeros().toPlainString();
      }
      String before = seen.putIfAbsent(bare, name);
      if (before != null) {
        alike.add(List.of(before, name));
      }
    }
    return alike;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof LabelSet set && names.equals(set.names);
  }

  @Override
  public int hashCode() {
    return names.hashCode();
  }

  /** The names for a message. */
  @Override
  public String toString() {
    String listed =
        String.join(
            ", ",
            names.stream()
                .limit(MOST_LISTED)
                .map(name -> PlainText.shortened(name, LONGEST_LISTED))
                .toList());
    return names.size() > MOST_LISTED ? listed + ", ... (%d)".formatted(names.size()) : listed;
  }
}
