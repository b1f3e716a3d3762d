package io.github.loragraph.search;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * How long a search will go on, by the pace since it was begun or gone on with: of all trials to
 * the first rung, of as many of them as pruning lets on to the others, and of the repeats of the
 * best. A part takes the time of its process to start, whatever its share of a training is.
 */
final class TimeLeft {
  /** What a process needs before its first step, in seconds; of short parts at most a half. */
  private static final double START = 4;

  private static final double LARGEST_SHARE = 0.5;

  private final SearchPlan plan;
  private final LongSupplier nanos;
  private final long start;

  /** Of all parts that are done. */
  private Work done = new Work(0, 0);

  /** Of those that were done since the start. */
  private Work now = new Work(0, 0);

  /** A number of processes, and what they train, in whole trainings. */
  private record Work(double parts, double trainings) {
    Work plus(double moreParts, double moreTrainings) {
      return new Work(parts + moreParts, trainings + moreTrainings);
    }
  }

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
    done = done.plus(1, plan.pruning().cost(part.rung()));
  }

  /** A part has ended. */
  Duration ended(TrialPart part) {
    known(part);
    now = now.plus(1, plan.pruning().cost(part.rung()));
    double trials = plan.begun();
    Work all = new Work(0, 0);
    for (int rung = 0; rung <= plan.pruning().top(); rung++) {
      all = all.plus(trials, trials * plan.pruning().cost(rung));
      trials = Math.max(1, trials / plan.pruning().reductionFactor());
    }
    // More may go on than on average: the repeats come in any case.
    Work left =
        new Work(
                Math.max(0, all.parts() - done.parts()),
                Math.max(0, all.trainings() - done.trainings()))
            .plus(SearchJob.REPEATS, SearchJob.REPEATS);
    double busy = (nanos.getAsLong() - start) / 1e9 * plan.parallel();
    double starting = Math.min(START, LARGEST_SHARE * busy / now.parts());
    double training = (busy - starting * now.parts()) / now.trainings();
    double seconds = (starting * left.parts() + training * left.trainings()) / plan.parallel();
    return Duration.ofNanos((long) (seconds * 1e9));
  }
}
