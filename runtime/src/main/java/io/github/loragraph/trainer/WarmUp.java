package io.github.loragraph.trainer;

import io.github.loragraph.error.LoraGraphException;

/**
 * How long the learning rate rises at the beginning of a run.
 *
 * @param steps of the rise; 0 to go by the share
 * @param share of all steps, rounded up; counts where no steps are given
 */
public record WarmUp(long steps, double share) {
  /** None. */
  public static final WarmUp NONE = new WarmUp(0, 0);

  public WarmUp {
    if (steps < 0) {
      throw new LoraGraphException(
          "a warm-up of " + steps + " steps is not possible: give 1 or more, or 0 for none");
    }
    if (!(share >= 0 && share <= 1)) {
      throw new LoraGraphException(
          "a warm-up over a share of " + share + " of all steps is not possible: give 0 to 1");
    }
  }

  public static WarmUp ofSteps(long steps) {
    return new WarmUp(steps, 0);
  }

  public static WarmUp ofShare(double share) {
    return new WarmUp(0, share);
  }

  /** Its steps in a run of so many, as {@code TrainingArguments.get_warmup_steps} counts them. */
  public long of(long totalSteps) {
    return steps > 0 ? steps : (long) Math.ceil(totalSteps * share);
  }
}
