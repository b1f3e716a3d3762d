package io.github.loragraph.search;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * How much of the spread of the figures goes with each parameter alone: the share of their ranks'
 * variance that lies between groups of its values, corrected for the number of groups (epsilon
 * squared of Kelley, "An Unbiased Correlation Ratio Measure", 1935). Numbers are grouped by thirds.
 * What parameters do together is not seen.
 */
final class ParameterImportance {
  private static final int FEWEST_TRIALS = 8;
  private static final int THIRDS = 3;

  private ParameterImportance() {}

  /**
   * @param scores of trials that were measured at the same point, by the trial
   * @param trials all of them, by their numbers
   * @return by the parameter's name, the largest first; not of those that too few trials had
   */
  static Map<String, Double> of(
      SearchSpace space, Map<Integer, Double> scores, List<Map<String, Object>> trials) {
    Map<String, Double> shares = new LinkedHashMap<>();
    for (Parameter parameter : space.parameters()) {
      List<Integer> with =
          scores.keySet().stream()
              .filter(trial -> trials.get(trial).containsKey(parameter.name()))
              .sorted()
              .toList();
      Map<Object, List<Double>> groups = groups(parameter, with, scores, trials);
      if (with.size() >= FEWEST_TRIALS && groups.size() > 1 && groups.size() < with.size()) {
        shares.put(parameter.name(), share(groups, with.size()));
      }
    }
    List<Map.Entry<String, Double>> ordered = new ArrayList<>(shares.entrySet());
    ordered.sort(Collections.reverseOrder(Map.Entry.comparingByValue()));
    Map<String, Double> largestFirst = new LinkedHashMap<>();
    ordered.forEach(share -> largestFirst.put(share.getKey(), share.getValue()));
    return largestFirst;
  }

  /** The ranks of the figures by groups of the parameter's values; equal figures share a rank. */
  private static Map<Object, List<Double>> groups(
      Parameter parameter,
      List<Integer> with,
      Map<Integer, Double> scores,
      List<Map<String, Object>> trials) {
    Map<Object, Object> thirds = new HashMap<>();
    if (parameter.domain() instanceof NumberDomain numbers) {
      List<Object> sorted = new ArrayList<>();
      with.forEach(trial -> sorted.add(value(parameter, trials.get(trial))));
      sorted.sort(Comparator.comparingDouble(numbers::position));
      for (int at = 0; at < sorted.size(); at++) {
        // Equal values are in one group, that of the first of them.
        thirds.putIfAbsent(sorted.get(at), at * THIRDS / sorted.size());
      }
    }
    Map<Object, List<Double>> groups = new LinkedHashMap<>();
    for (int trial : with) {
      Object value = value(parameter, trials.get(trial));
      groups
          .computeIfAbsent(thirds.getOrDefault(value, value), g -> new ArrayList<>())
          .add(rank(Objects.requireNonNull(scores.get(trial)), with, scores));
    }
    return groups;
  }

  private static Object value(Parameter parameter, Map<String, Object> trial) {
    return Objects.requireNonNull(trial.get(parameter.name()));
  }

  private static double rank(double score, List<Integer> all, Map<Integer, Double> scores) {
    double below = 0;
    for (int trial : all) {
      double other = Objects.requireNonNull(scores.get(trial));
      below += other < score ? 1 : other == score ? 0.5 : 0;
    }
    return below;
  }

  private static double share(Map<Object, List<Double>> groups, int count) {
    double mean = count / 2.0;
    double whole = 0;
    double between = 0;
    for (List<Double> group : groups.values()) {
      double own = group.stream().mapToDouble(rank -> rank).average().orElse(mean);
      between += group.size() * (own - mean) * (own - mean);
      for (double rank : group) {
        whole += (rank - mean) * (rank - mean);
      }
    }
    if (whole == 0) {
      return 0;
    }
    double within = whole - between;
    double noise = within / (count - groups.size());
    return Math.max(0, (between - (groups.size() - 1) * noise) / whole);
  }
}
