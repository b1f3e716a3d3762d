package io.github.loragraph.data;

import io.github.loragraph.LoraGraphException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** The names of a model's classes, in the order of its logits. */
public record LabelSet(List<String> names) {
  private static final int MOST_LISTED = 12;

  public LabelSet {
    names = List.copyOf(names);
    if (new LinkedHashSet<>(names).size() != names.size()) {
      throw new LoraGraphException("two classes have the same name: " + names);
    }
  }

  /** Classes without names: their numbers. */
  public static LabelSet numbered(int classes) {
    return new LabelSet(IntStream.range(0, classes).mapToObj(Integer::toString).toList());
  }

  /** The different labels of some examples: numbers in their order, else sorted by name. */
  public static LabelSet of(List<String> labels) {
    Set<String> distinct = new LinkedHashSet<>(labels);
    boolean numbers = distinct.stream().allMatch(label -> label.matches("\\d{1,6}"));
    if (numbers) {
      int largest = distinct.stream().mapToInt(Integer::parseInt).max().orElse(0);
      return numbered(largest + 1);
    }
    return new LabelSet(distinct.stream().sorted().toList());
  }

  public int size() {
    return names.size();
  }

  /**
   * The class that a label in a data file means: its name, or else its number.
   *
   * @return -1 where there is no such class
   */
  public int indexOf(String label) {
    int index = names.indexOf(label);
    if (index >= 0 || !label.matches("\\d{1,9}")) {
      return index;
    }
    int number = Integer.parseInt(label);
    return number < names.size() ? number : -1;
  }

  /** The names for a message. */
  @Override
  public String toString() {
    String listed = String.join(", ", names.subList(0, Math.min(MOST_LISTED, names.size())));
    return names.size() > MOST_LISTED ? listed + ", ... (%d)".formatted(names.size()) : listed;
  }
}
