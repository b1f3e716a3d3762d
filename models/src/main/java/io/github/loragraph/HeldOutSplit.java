package io.github.loragraph;

import io.github.loragraph.data.Row;
import io.github.loragraph.data.TextGroup;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.task.Tasks;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which examples of a dataset are held out: a share, drawn by a seed, of each class as much as of
 * all where each example has one. What belongs together is never divided: the documents of a query,
 * the groups of an anchor.
 *
 * @param held the numbers of the examples, from 0
 * @param examples how many there are
 * @param byClass how many are held out of each class, sorted; empty where there are no classes
 */
record HeldOutSplit(BitSet held, int examples, Map<String, Integer> byClass) {
  /** Classes that a line names. */
  private static final int NAMED = 8;

  /**
   * Draws.
   *
   * @param share above 0 and below 1
   * @throws LoraGraphException if the data cannot be read, or there are too few examples to divide
   */
  static HeldOutSplit of(
      Dataset data, io.github.loragraph.task.Task task, double share, long seed) {
    if (!(share > 0 && share < 1)) {
      throw new LoraGraphException(
          "a share of %s cannot be held out: give one above 0 and below 1".formatted(share));
    }
    List<String> units = new ArrayList<>();
    List<String> classes = new ArrayList<>();
    boolean stratified = task == Tasks.CLASSIFICATION;
    if (task == Tasks.EMBEDDING) {
      for (TextGroup group : data.groups(RunDefaults.NONE, line -> {})) {
        units.add(Objects.toString(group.anchor().text()));
        classes.add("");
      }
    } else {
      for (Row row : data.of(task, RunDefaults.NONE, line -> {})) {
        units.add(task.ranks() ? Objects.toString(row.text()) : Integer.toString(units.size()));
        classes.add(stratified ? Objects.toString(row.label()) : "");
      }
    }
    BitSet held = drawn(units, classes, share, seed);
    if (held.isEmpty() || held.cardinality() == units.size()) {
      throw new LoraGraphException(
          "%s has %,d examples, too few to hold some of them out: give held-out data of its own"
              .formatted(data.name(), units.size()));
    }
    Map<String, Integer> byClass = new TreeMap<>();
    if (stratified) {
      classes.forEach(name -> byClass.putIfAbsent(name, 0));
      held.stream().forEach(i -> byClass.merge(classes.get(i), 1, Integer::sum));
    }
    return new HeldOutSplit(held, units.size(), byClass);
  }

  /**
   * The share of each class is rounded to whole units, so that all together are the share of all:
   * who has the largest part of one left gets one more, at a tie by the draw. One of each stays.
   */
  private static BitSet drawn(List<String> units, List<String> classes, double share, long seed) {
    Map<String, List<Integer>> members = new LinkedHashMap<>();
    Map<String, List<List<Integer>>> strata = new TreeMap<>();
    for (int i = 0; i < units.size(); i++) {
      @Nullable List<Integer> known = members.get(units.get(i));
      if (known == null) {
        known = new ArrayList<>();
        members.put(units.get(i), known);
        strata.computeIfAbsent(classes.get(i), name -> new ArrayList<>()).add(known);
      }
      known.add(i);
    }
    Random random = new Random(seed);
    List<List<List<Integer>>> order = new ArrayList<>(strata.values());
    order.forEach(stratum -> Collections.shuffle(stratum, random));
    Collections.shuffle(order, random);
    int all = members.size();
    int left = (int) Math.max(1, Math.round(share * all));
    int[] taken = new int[order.size()];
    List<Integer> byRest = new ArrayList<>();
    for (int s = 0; s < taken.length; s++) {
      taken[s] = Math.min((int) (share * order.get(s).size()), order.get(s).size() - 1);
      left -= taken[s];
      byRest.add(s);
    }
    byRest.sort(
        (a, b) ->
            Double.compare(
                share * order.get(b).size() - taken[b], share * order.get(a).size() - taken[a]));
    for (int s : byRest) {
      if (left > 0 && taken[s] < order.get(s).size() - 1) {
        taken[s]++;
        left--;
      }
    }
    BitSet held = new BitSet();
    for (int s = 0; s < taken.length; s++) {
      order.get(s).subList(0, taken[s]).forEach(unit -> unit.forEach(held::set));
    }
    return held;
  }

  /** How many of how many, in a line. */
  String note() {
    String classes =
        byClass.isEmpty() || byClass.size() > NAMED
            ? ""
            : byClass.entrySet().stream()
                .map(entry -> "%s %,d".formatted(entry.getKey(), entry.getValue()))
                .collect(Collectors.joining(", ", " (", ")"));
    return "held out: %,d of %,d examples, drawn by the seed%s; %,d are trained on"
        .formatted(held.cardinality(), examples, classes, examples - held.cardinality());
  }
}
