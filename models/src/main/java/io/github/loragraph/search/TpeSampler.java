package io.github.loragraph.search;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * The tree-structured Parzen estimator of Bergstra, Bardenet, Bengio and Kégl, "Algorithms for
 * Hyper-Parameter Optimization", NIPS 2011: trials are parted into a few good ones and the others,
 * each part gives a density, and of some draws from the density of the good ones that is proposed
 * where it is largest against the density of the others. The densities are over all parameters
 * together, as Falkner, Klein and Hutter have them ("BOHB", ICML 2018, section 3.2).
 *
 * <p>The first trials are drawn at random. A trial that is not measured yet, or failed, counts
 * among the others: nothing is proposed twice at once.
 */
public final class TpeSampler implements Sampler {
  /** How many trials are drawn at random before densities say anything. */
  public static final int START_TRIALS = 10;

  private static final double GOOD_SHARE = 0.15;
  private static final int MOST_GOOD = 25;
  private static final int CANDIDATES = 24;

  private final SearchSpace space;
  private final long seed;
  private final RandomSampler start;

  /** Over a space; the seed decides all draws. */
  public TpeSampler(SearchSpace space, long seed) {
    this.space = space;
    this.seed = seed;
    this.start = new RandomSampler(space, seed);
  }

  @Override
  public Map<String, Object> propose(List<TrialResult> before) {
    List<TrialResult> measured =
        before.stream()
            .filter(trial -> !trial.isPending() && !trial.isFailed())
            .sorted(TrialResult.BEST_FIRST)
            .toList();
    if (before.size() < START_TRIALS || measured.isEmpty()) {
      return start.propose(before);
    }
    int count = (int) Math.min(MOST_GOOD, Math.ceil(GOOD_SHARE * measured.size()));
    Set<TrialResult> best = new HashSet<>(measured.subList(0, count));
    ParzenMixture good = mixture(before, best, true);
    ParzenMixture others = mixture(before, best, false);
    Random random = TrialSeed.random(seed, before.size());
    Set<Map<String, Object>> tried = new HashSet<>();
    before.forEach(trial -> tried.add(trial.parameters()));
    return start.distinct(before, random, () -> candidate(good, others, tried, random));
  }

  private ParzenMixture mixture(List<TrialResult> before, Set<TrialResult> best, boolean good) {
    return new ParzenMixture(
        space,
        before.stream()
            .filter(trial -> best.contains(trial) == good)
            .map(TrialResult::parameters)
            .toList());
  }

  private static Map<String, Object> candidate(
      ParzenMixture good, ParzenMixture others, Set<Map<String, Object>> tried, Random random) {
    Map<String, Object> chosen = good.draw(random);
    double most = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < CANDIDATES; i++) {
      Map<String, Object> candidate = i == 0 ? chosen : good.draw(random);
      double gain = good.logDensity(candidate) - others.logDensity(candidate);
      if (gain > most && !tried.contains(candidate)) {
        most = gain;
        chosen = candidate;
      }
    }
    return chosen;
  }
}
