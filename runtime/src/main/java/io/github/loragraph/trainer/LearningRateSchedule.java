package io.github.loragraph.trainer;

import java.util.Locale;

/**
 * The learning rate of each step, as the schedules of transformers count it ({@code
 * get_linear_schedule_with_warmup} and its like in {@code optimization.py}): step s, from 0, of the
 * w of a warm-up has s/w of the peak, so that the first has none; what follows depends on the
 * decay.
 *
 * @param peak the highest learning rate, positive
 * @param warmupSteps steps of the rise; 0 for none. A rise that is longer than the run does not
 *     reach its peak
 * @param totalSteps of the whole run
 */
public record LearningRateSchedule(Decay decay, double peak, long warmupSteps, long totalSteps) {
  /** What follows the warm-up. */
  public enum Decay {
    /** Falls to zero at the end of the run. */
    LINEAR,
    /** Falls to zero at the end of the run along half a cosine. */
    COSINE,
    /** The peak from the first step on: there is no warm-up. */
    CONSTANT,
    /** The peak. */
    CONSTANT_WITH_WARMUP;

    /** The name that transformers have for it. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public LearningRateSchedule {
    if (warmupSteps < 0 || totalSteps < 1) {
      throw new IllegalArgumentException(
          "a warm-up of %d steps in a run of %d".formatted(warmupSteps, totalSteps));
    }
  }

  /**
   * @param step 1 at the first step of the run
   */
  public double at(long step) {
    long done = step - 1;
    if (decay == Decay.CONSTANT) {
      return peak;
    }
    if (done < warmupSteps) {
      return peak * ((double) done / warmupSteps);
    }
    double rest = Math.max(1, totalSteps - warmupSteps);
    return switch (decay) {
      case LINEAR -> peak * Math.max(0, (totalSteps - done) / rest);
      case COSINE ->
          peak * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * ((done - warmupSteps) / rest))));
      case CONSTANT, CONSTANT_WITH_WARMUP -> peak;
    };
  }
}
