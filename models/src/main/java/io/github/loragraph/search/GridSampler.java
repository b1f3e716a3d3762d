package io.github.loragraph.search;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * Goes over the points of a grid: in their order where there are trials for all, else in an order
 * drawn by the seed, so that those left out lie everywhere.
 */
public final class GridSampler implements Sampler {
  private final List<Map<String, Object>> points;

  /**
   * @param points those of {@link SearchSpace#grid}
   */
  public GridSampler(List<Map<String, Object>> points, int trials, long seed) {
    List<Map<String, Object>> ordered = new ArrayList<>(points);
    if (trials < points.size()) {
      Collections.shuffle(ordered, TrialSeed.random(seed, 0));
    }
    this.points = List.copyOf(ordered);
  }

  @Override
  public Map<String, Object> propose(List<TrialResult> before) {
    return points.get(before.size() % points.size());
  }
}
