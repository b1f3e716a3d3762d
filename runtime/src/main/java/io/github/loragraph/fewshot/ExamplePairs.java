package io.github.loragraph.fewshot;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.training.Towers;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * Pairs of labelled examples for a loss over cosines, as SetFit draws them (Tunstall et al., 2022,
 * arXiv 2209.11055): each example is the first of R pairs with others of its class, whose cosine is
 * to be 1, and of R pairs with examples of other classes, whose cosine is to be 0. The partners of
 * an example are drawn in rounds: nobody comes twice before all came once. An example that is alone
 * in its class is in no pair of the first kind: with itself it would teach nothing.
 */
public final class ExamplePairs {
  /** R where nothing else is given: {@code num_iterations} of SetFit. */
  public static final int ITERATIONS = 20;

  /** So that the pairs follow another course than the batches of the same seed. */
  private static final long COURSE = 0x5DEECE66DL;

  private final List<Example> examples;
  private final List<Pair> pairs;
  private final Map<Integer, Integer> sizes;

  /**
   * Two examples by their places.
   *
   * @param alike whether they are of one class
   */
  public record Pair(int first, int second, boolean alike) {}

  private ExamplePairs(List<Example> examples, List<Pair> pairs, Map<Integer, Integer> sizes) {
    this.examples = examples;
    this.pairs = List.copyOf(pairs);
    this.sizes = sizes;
  }

  /**
   * Draws pairs; the same seed draws the same ones.
   *
   * @param examples each with one class, 0 or more
   * @param iterations R, 1 or more
   * @throws LoraGraphException if there are not two classes
   */
  public static ExamplePairs draw(List<Example> examples, int iterations, long seed) {
    Map<Integer, List<Integer>> classes = new TreeMap<>();
    for (int i = 0; i < examples.size(); i++) {
      classes.computeIfAbsent((int) examples.get(i).label(), c -> new ArrayList<>()).add(i);
    }
    if (classes.size() < 2) {
      throw new LoraGraphException(
          "pairs of two classes need examples of two classes, and all %,d are of one: give some of another"
              .formatted(examples.size()));
    }
    Random random = new Random(seed ^ COURSE);
    List<Pair> pairs = new ArrayList<>();
    for (int i = 0; i < examples.size(); i++) {
      int own = (int) examples.get(i).label();
      List<Integer> alike = new ArrayList<>();
      List<Integer> others = new ArrayList<>();
      classes.forEach((label, places) -> (label == own ? alike : others).addAll(places));
      alike.remove(Integer.valueOf(i));
      for (int partner : rounds(alike, iterations, random)) {
        pairs.add(new Pair(i, partner, true));
      }
      for (int partner : rounds(others, iterations, random)) {
        pairs.add(new Pair(i, partner, false));
      }
    }
    Map<Integer, Integer> sizes = new TreeMap<>();
    classes.forEach((label, places) -> sizes.put(label, places.size()));
    return new ExamplePairs(List.copyOf(examples), pairs, sizes);
  }

  private static List<Integer> rounds(List<Integer> partners, int count, Random random) {
    List<Integer> drawn = new ArrayList<>(count);
    while (!partners.isEmpty() && drawn.size() < count) {
      Collections.shuffle(partners, random);
      drawn.addAll(partners.subList(0, Math.min(partners.size(), count - drawn.size())));
    }
    return drawn;
  }

  /** The pairs, in the order in which they were drawn. */
  public List<Pair> pairs() {
    return pairs;
  }

  /** How many pairs are of one class. */
  public long alike() {
    return pairs.stream().filter(Pair::alike).count();
  }

  /** The number of examples of each class that has some, in the order of the classes. */
  public Map<Integer, Integer> sizes() {
    return Collections.unmodifiableMap(sizes);
  }

  /**
   * The pairs as {@link Towers} take them, with their cosines as targets. The numbers of an example
   * are shared by all its pairs.
   */
  public List<Example> forTowers() {
    List<Map<String, Values>> first = new ArrayList<>();
    List<Map<String, Values>> second = new ArrayList<>();
    for (Example example : examples) {
      Map<String, Values> anchor = new HashMap<>();
      Map<String, Values> text = new HashMap<>();
      example
          .inputs()
          .forEach(
              (name, values) -> {
                anchor.put(Towers.ANCHOR + name, values);
                text.put(Towers.TEXTS + name, alone(values));
              });
      first.add(anchor);
      second.add(text);
    }
    Values one = Values.scalar(1f);
    Values zero = Values.scalar(0f);
    List<Example> made = new ArrayList<>(pairs.size());
    for (Pair pair : pairs) {
      Map<String, Values> inputs = new HashMap<>(first.get(pair.first()));
      inputs.putAll(second.get(pair.second()));
      made.add(new Example(inputs, pair.alike() ? one : zero));
    }
    return made;
  }

  /** The one text beside an anchor: (sequence) as (1, sequence). */
  private static Values alone(Values values) {
    if (!values.areIntegers()) {
      return Values.shaped(values.toFloats(), 1, values.count());
    }
    int[] numbers = new int[values.count()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (int) values.get(i);
    }
    return Values.shaped(numbers, 1, numbers.length);
  }
}
