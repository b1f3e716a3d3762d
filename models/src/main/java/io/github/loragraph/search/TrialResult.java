package io.github.loragraph.search;

import java.util.Comparator;
import java.util.Map;

/**
 * What is known of a trial.
 *
 * @param rung the highest rung that it has been measured at; -1 while there is none
 * @param score what was measured there, smaller is better; NaN where the trial failed, which is
 *     worse than any number
 */
public record TrialResult(int trial, Map<String, Object> parameters, int rung, double score) {
  /**
   * The best first: who came further is better than who was left behind, then the score counts,
   * then who was first. What failed comes last.
   */
  static final Comparator<TrialResult> BEST_FIRST =
      Comparator.comparing(TrialResult::isFailed)
          .thenComparing(Comparator.comparingInt(TrialResult::rung).reversed())
          .thenComparingDouble(TrialResult::score)
          .thenComparingInt(TrialResult::trial);

  /** Whether it was begun, and not measured yet. */
  public boolean isPending() {
    return rung < 0;
  }

  /** Whether it ended without a figure. */
  public boolean isFailed() {
    return !isPending() && Double.isNaN(score);
  }
}
