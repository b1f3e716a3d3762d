package io.github.loragraph.search;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Draws from the space (Bergstra and Bengio 2012, "Random Search for Hyper-Parameter
 * Optimization"). What was tried before is not drawn again while there is anything else.
 */
public final class RandomSampler implements Sampler {
  private static final int TRIES = 100;
  private static final int LISTED = 100_000;

  private final SearchSpace space;
  private final long seed;

  /** Over a space; the seed decides all draws. */
  public RandomSampler(SearchSpace space, long seed) {
    this.space = space;
    this.seed = seed;
  }

  @Override
  public Map<String, Object> propose(List<TrialResult> before) {
    Random random = TrialSeed.random(seed, before.size());
    return distinct(before, random, () -> space.draw(random));
  }

  /** What a proposer gives that is new, or something else of the space that is. */
  Map<String, Object> distinct(
      List<TrialResult> before, Random random, Supplier<Map<String, Object>> proposer) {
    Set<Map<String, Object>> tried = new HashSet<>();
    before.forEach(trial -> tried.add(trial.parameters()));
    Map<String, Object> proposal = proposer.get();
    for (int i = 0; i < TRIES && tried.contains(proposal); i++) {
      proposal = space.draw(random);
    }
    if (!tried.contains(proposal) || space.size(LISTED + 1L) > LISTED) {
      return proposal;
    }
    List<Map<String, Object>> left = new ArrayList<>(space.whole(LISTED));
    left.removeAll(tried);
    return left.isEmpty() ? proposal : left.get(random.nextInt(left.size()));
  }
}
