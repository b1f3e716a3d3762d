package io.github.loragraph.adapter;

import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What an adapter that was made of others says about its ranks and alphas. */
final class NewConfig {
  private NewConfig() {}

  /**
   * The same configuration with other ranks and alphas. Those that most modules have are the usual
   * ones, and the others stand in PEFT's patterns.
   *
   * @param ranks by module
   * @param alphas by module, of the same modules
   */
  static PeftConfig of(PeftConfig from, Map<String, Integer> ranks, Map<String, Double> alphas) {
    if (ranks.isEmpty()) {
      return from;
    }
    int rank = mostFrequent(ranks.values());
    double alpha = mostFrequent(alphas.values());
    // A pattern also counts for modules whose paths end with it, and the first that matches counts.
    List<String> modules =
        ranks.keySet().stream()
            .sorted(Comparator.comparingInt(String::length).reversed().thenComparing(m -> m))
            .toList();
    Map<String, Object> rankPattern = new LinkedHashMap<>();
    Map<String, Object> alphaPattern = new LinkedHashMap<>();
    for (String module : modules) {
      boolean isNested = modules.stream().anyMatch(other -> module.endsWith("." + other));
      if (isNested || ranks.getOrDefault(module, rank) != rank) {
        rankPattern.put(key(module), ranks.getOrDefault(module, rank));
      }
      double own = alphas.getOrDefault(module, alpha);
      if (isNested || own != alpha) {
        alphaPattern.put(key(module), PeftConfig.wholeWherePossible(own));
      }
    }
    return from.with("r", rank)
        .withAlpha(alpha)
        .with("rank_pattern", rankPattern)
        .with("alpha_pattern", alphaPattern);
  }

  /** An expression for the very path. */
  private static String key(String module) {
    return module.replace(".", "\\.");
  }

  /** The value that there is most often, of several the one that comes first. */
  private static <T> T mostFrequent(Collection<T> values) {
    Map<T, Long> counts =
        values.stream()
            .collect(
                Collectors.groupingBy(
                    Function.identity(), LinkedHashMap::new, Collectors.counting()));
    long most = counts.values().stream().mapToLong(Long::longValue).max().orElseThrow();
    return counts.entrySet().stream()
        .filter(entry -> entry.getValue() == most)
        .findFirst()
        .orElseThrow()
        .getKey();
  }
}
