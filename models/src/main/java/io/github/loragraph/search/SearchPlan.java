package io.github.loragraph.search;

import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a search is: everything that decides which trials there are, but for their figures.
 *
 * @param trials how many are begun
 * @param parallel how many are trained at once; another number makes another search ({@link
 *     TrialSchedule}), unless nothing is decided by figures
 * @param objective the figure to judge by, as an evaluation has it: {@code accuracy}
 * @param maximize whether more of it is better
 * @param seed decides all draws
 */
public record SearchPlan(
    SearchSpace space,
    int trials,
    int parallel,
    String objective,
    boolean maximize,
    Method method,
    SuccessiveHalving pruning,
    long seed) {
  /** The most points of a grid. */
  private static final int LARGEST_GRID = 10_000;

  /** By what trials are proposed. */
  public enum Method {
    /** By the densities of good and of other trials: {@link TpeSampler}. */
    TPE,
    /** Drawn from the space. */
    RANDOM,
    /** Each combination of some values of each parameter. */
    GRID;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * @throws LoraGraphException if a number is too small, or a grid cannot be made
   */
  public SearchPlan {
    requireTrials(trials);
    requireParallel(parallel);
    if (method == Method.GRID) {
      space.grid(LARGEST_GRID);
    }
  }

  static int requireTrials(int trials) {
    if (trials < 1) {
      throw new LoraGraphException("a search has 1 trial or more, and this has " + trials);
    }
    return trials;
  }

  static int requireParallel(int parallel) {
    if (parallel < 1) {
      throw new LoraGraphException("1 trial or more is trained at once, and not " + parallel);
    }
    return parallel;
  }

  /** Where figures with that name are better if there is less of them. */
  public static boolean isBetterSmaller(String objective) {
    String name = objective.toLowerCase(Locale.ROOT);
    return name.contains("loss")
        || name.contains("error")
        || name.contains("perplexity")
        || name.equals("mse")
        || name.equals("mae")
        || name.equals("rmse");
  }

  /** How many trials are begun: no more than there are different ones. */
  public int begun() {
    return (int)
        Math.min(
            trials,
            method == Method.GRID ? space.grid(LARGEST_GRID).size() : space.size(trials + 1L));
  }

  private Sampler sampler() {
    return switch (method) {
      case TPE -> new TpeSampler(space, seed);
      case RANDOM -> new RandomSampler(space, seed);
      case GRID -> new GridSampler(space.grid(LARGEST_GRID), trials, seed);
    };
  }

  /** A schedule of all trials, from the beginning. */
  public TrialSchedule schedule() {
    return new TrialSchedule(sampler(), pruning, begun(), parallel);
  }

  /** The parameters of the first trials, as far as no figure decides on them. */
  public List<Map<String, Object>> firstTrials() {
    Sampler sampler = sampler();
    int count = method == Method.TPE ? Math.min(TpeSampler.START_TRIALS, begun()) : begun();
    List<TrialResult> before = new ArrayList<>();
    for (int trial = 0; trial < count; trial++) {
      before.add(new TrialResult(trial, sampler.propose(before), -1, Double.NaN));
    }
    return before.stream().map(TrialResult::parameters).toList();
  }

  /** Whether another number of trainings at once makes another search: figures decide on trials. */
  public boolean dependsOnParallel() {
    return method == Method.TPE || pruning.top() > 0;
  }

  /** A figure as the schedule takes it: smaller is better. */
  public double score(double figure) {
    return maximize ? -figure : figure;
  }

  /** What is worth saying before the first trial, a line each. */
  public List<String> remarks() {
    List<String> remarks = new ArrayList<>();
    int begun = begun();
    if (begun < trials) {
      remarks.add(
          "there are only %,d different trials, so there are no %,d".formatted(begun, trials));
    }
    if (method == Method.GRID) {
      int points = space.grid(LARGEST_GRID).size();
      if (points > trials) {
        remarks.add(
            "the grid has %,d points: %,d of them are tried, drawn by the seed"
                .formatted(points, trials));
      }
    }
    if (method == Method.TPE && begun <= TpeSampler.START_TRIALS) {
      remarks.add(
          "with fewer than %d trials tpe is a random search: it draws the first %d at random, and there are %d"
              .formatted(TpeSampler.START_TRIALS + 1, TpeSampler.START_TRIALS, begun));
    }
    return remarks;
  }
}
