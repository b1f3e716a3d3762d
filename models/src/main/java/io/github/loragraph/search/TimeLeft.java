package io.github.loragraph.search;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * How long a search will go on, by the time that parts took since it was begun or gone on with: of
 * all trials to the first rung, of as many of them as pruning lets on to the others, and of the
 * repeats of the best. A part takes the time of its process to start, whatever its share of a
 * training is; what was made before it, its model above all, is no part of it. Parts begin in any
 * thread, and end in one.
 */
final class TimeLeft {
  /** What a process needs before its first step, in seconds; of short parts at most a half. */
  private static final double START = 4;

  private static final double LARGEST_SHARE = 0.5;

  private final SearchPlan plan;
  private final LongSupplier nanos;

  /** When the parts that are at work began, by their numbers. */
  private final Map<Integer, Long> begun = new ConcurrentHashMap<>();

  /** Of all parts that are done. */
  private Work done = new Work(0, 0);

  /** Of those that were done since the start. */
  private Work now = new Work(0, 0);

  /** The seconds that these took. */
  private double busy;

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
  }

  /** A part was done before. */
  void known(TrialPart part) {
    done = done.plus(1, plan.pruning().cost(part.rung()));
  }

  /** The process of a part is started. */
  void begun(TrialPart part) {
    begun.put(part.number(), nanos.getAsLong());
  }

  /** A part has ended. */
  Duration ended(TrialPart part) {
    known(part);
    long end = nanos.getAsLong();
    Long begin = begun.remove(part.number());
    busy += begin == null ? 0 : (end - begin) / 1e9;
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
    double starting = Math.min(START, LARGEST_SHARE * busy / now.parts());
    double training = (busy - starting * now.parts()) / now.trainings();
    double seconds = (starting * left.parts() + training * left.trainings()) / plan.parallel();
    return Duration.ofNanos((long) (seconds * 1e9));
  }
}
