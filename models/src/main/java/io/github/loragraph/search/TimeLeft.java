package io.github.loragraph.search;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * How long a search will go on, by the pace since it was begun or gone on with: of all trials to
 * the first rung, of as many of them as pruning lets on to the others, and of the repeats of the
 * best.
 */
final class TimeLeft {
  private final SearchPlan plan;
  private final LongSupplier nanos;
  private final long start;

  /** In whole trainings. */
  private double done;

  private double doneNow;

  /**
   * @param nanos a clock
   */
  TimeLeft(SearchPlan plan, LongSupplier nanos) {
    this.plan = plan;
    this.nanos = nanos;
    this.start = nanos.getAsLong();
  }

  /** A part was done before. */
  void known(TrialPart part) {
    done += plan.pruning().cost(part.rung());
  }

  /** A part has ended. */
  Duration ended(TrialPart part) {
    known(part);
    doneNow += plan.pruning().cost(part.rung());
    double trials = plan.begun();
    double all = 0;
    for (int rung = 0; rung <= plan.pruning().top(); rung++) {
      all += trials * plan.pruning().cost(rung);
      trials = Math.max(1, trials / plan.pruning().reductionFactor());
    }
    // More may go on than on average: the repeats come in any case.
    double left = Math.max(0, all - done) + SearchJob.REPEATS;
    return Duration.ofNanos((long) ((nanos.getAsLong() - start) / doneNow * left));
  }
}
