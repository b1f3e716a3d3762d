package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The ranks and alphas of adapters. A key of a pattern is an expression for the end of a module
 * path: it matches the whole path, or what follows one of its dots. The first that does decides, as
 * in PEFT.
 *
 * @param rank r, the inner size of adapters that no pattern names
 * @param alpha of adapters that no pattern names
 * @param rankPattern PEFT's {@code rank_pattern}: from keys to ranks, in this order
 * @param alphaPattern PEFT's {@code alpha_pattern}: from keys to alphas, in this order
 */
public record LoraRanks(
    int rank, double alpha, Map<String, Integer> rankPattern, Map<String, Double> alphaPattern) {
  /**
   * @throws LoraGraphException if a rank is below 1, an alpha is no positive number for which alpha
   *     / rank can be written in 32 bits, or a key is no expression
   */
  public LoraRanks {
    rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
    alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
    requireRank("rank", rank);
    requireAlpha("alpha", alpha, rank);
    rankPattern.forEach((key, r) -> requireRank("the rank of '%s'".formatted(key), r));
    for (Map.Entry<String, Double> e : alphaPattern.entrySet()) {
      requireAlpha("the alpha of '%s'".formatted(e.getKey()), e.getValue(), rank);
    }
    rankPattern.keySet().forEach(LoraRanks::expression);
    alphaPattern.keySet().forEach(LoraRanks::expression);
  }

  /** The same for all. */
  public static LoraRanks of(int rank, double alpha) {
    return new LoraRanks(rank, alpha, Map.of(), Map.of());
  }

  private static void requireRank(String what, int rank) {
    if (rank < 1) {
      throw new LoraGraphException("%s must be at least 1, but is %d: try 8".formatted(what, rank));
    }
  }

  private static void requireAlpha(String what, double alpha, int rank) {
    float scale = (float) (alpha / rank);
    if (!(alpha > 0) || !(scale > 0) || Float.isInfinite(scale)) {
      throw new LoraGraphException(
          "%s must be a positive number, but is %s: try the rank, %d".formatted(what, alpha, rank));
    }
  }

  /** r of the adapter of a module. */
  public int rankOf(String path) {
    return of(rankPattern, path, rank);
  }

  /** Alpha of the adapter of a module. */
  public double alphaOf(String path) {
    return of(alphaPattern, path, alpha);
  }

  private static <T> T of(Map<String, T> pattern, String path, T otherwise) {
    for (Map.Entry<String, T> e : pattern.entrySet()) {
      if (expression(e.getKey()).matcher(path).matches()) {
        return e.getValue();
      }
    }
    return otherwise;
  }

  /** The keys that decide for none of these modules. */
  List<String> unused(Collection<String> paths) {
    List<String> unused = new ArrayList<>();
    for (Map<String, ?> pattern : List.of(rankPattern, alphaPattern)) {
      List<String> left = new ArrayList<>(pattern.keySet());
      for (String path : paths) {
        pattern.keySet().stream()
            .filter(key -> expression(key).matcher(path).matches())
            .findFirst()
            .ifPresent(left::remove);
      }
      unused.addAll(left);
    }
    return unused;
  }

  private static Pattern expression(String key) {
    return TargetModules.python("(?:.*\\.)?(?:" + key + ")");
  }
}
