package io.github.loragraph.trainer;

import io.github.loragraph.LoraGraphException;

/**
 * The learning rate of each step: it rises linearly over the warm-up to its peak, then stays there
 * or falls to zero at the end of the run.
 *
 * @param peak the highest learning rate, positive
 * @param warmupSteps steps of the rise; 0 for none
 * @param totalSteps of the whole run
 */
public record LearningRateSchedule(Decay decay, double peak, long warmupSteps, long totalSteps) {
  /** What follows the warm-up. */
  public enum Decay {
    LINEAR,
    CONSTANT,
    COSINE
  }

  public LearningRateSchedule {
    if (warmupSteps < 0 || warmupSteps > totalSteps) {
      throw new LoraGraphException(
          "a warm-up of %d steps does not fit a run of %d steps"
              .formatted(warmupSteps, totalSteps));
    }
  }

  /**
   * @param step 1 at the first step of the run
   */
  public double at(long step) {
    if (step <= warmupSteps) {
      return peak * step / warmupSteps;
    }
    double done = (double) (step - 1 - warmupSteps) / (totalSteps - warmupSteps);
    return switch (decay) {
      case CONSTANT -> peak;
      case LINEAR -> peak * (1 - done);
      case COSINE -> peak * 0.5 * (1 + Math.cos(Math.PI * done));
    };
  }
}
