package io.github.loragraph.trainer;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.data.BatchSource;

/**
 * What decides the course of a training, besides model and data.
 *
 * @param steps the number of steps; null to count by epochs
 * @param epochs passes over the training data, where steps is null
 * @param warmup steps of the warm-up if 1 or more, else their share of all steps; 0 for none
 * @param logEvery steps between two log lines; 0 for none
 * @param evalEvery steps between two evaluations on the way; 0 for one at the end only
 * @param checkpointEvery steps between two checkpoints; 0 for none
 * @param batchSize examples in a batch
 * @param accumulation batches in a step
 * @param shuffle whether each epoch is shuffled
 * @param seed of all that is random: the order of the examples and dropout
 */
public record TrainerSettings(
    Long steps,
    double epochs,
    double learningRate,
    LearningRateSchedule.Decay decay,
    double warmup,
    long logEvery,
    long evalEvery,
    long checkpointEvery,
    int batchSize,
    int accumulation,
    boolean shuffle,
    long seed) {
  public TrainerSettings {
    BatchSource.requireBatchSize(batchSize);
    if (steps != null && steps < 1) {
      throw new LoraGraphException(steps + " training steps are not possible: give 1 or more");
    }
    if (!(epochs > 0) || Double.isInfinite(epochs)) {
      throw new LoraGraphException(epochs + " epochs are not possible: give more than 0");
    }
    if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
      throw new LoraGraphException("learning rate " + learningRate + " is not a positive number");
    }
    if (!(warmup >= 0)) {
      throw new LoraGraphException(
          "warm-up "
              + warmup
              + " is negative: give a number of steps, or a share of all below 1, or 0");
    }
    if (accumulation < 1) {
      throw new LoraGraphException(
          accumulation + " batches in a step are not possible: give 1 or more");
    }
    if (logEvery < 0 || evalEvery < 0 || checkpointEvery < 0) {
      throw new LoraGraphException(
          "a negative number of steps between logs, evaluations or checkpoints: 0 turns them off");
    }
  }

  /** The number of steps over data of so many batches an epoch. */
  public long totalSteps(long batchesPerEpoch) {
    return steps != null ? steps : Math.max(1, Math.round(epochs * batchesPerEpoch / accumulation));
  }

  /** The learning rate of each of so many steps. */
  public LearningRateSchedule schedule(long totalSteps) {
    double rise = warmup < 1 ? warmup * totalSteps : warmup;
    long warmupSteps = Math.min(totalSteps, Math.round(rise));
    return new LearningRateSchedule(decay, learningRate, warmupSteps, totalSteps);
  }
}
