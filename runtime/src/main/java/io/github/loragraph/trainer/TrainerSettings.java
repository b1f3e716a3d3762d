package io.github.loragraph.trainer;

import io.github.loragraph.data.BatchSource;
import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What decides the course of a training, besides model and data. Steps and epochs are counted as
 * the Trainer of transformers counts them.
 *
 * @param steps the number of steps; null to count by epochs
 * @param epochs passes over the training data; null for {@value #EPOCHS} where steps is null, too.
 *     Where both are given, the run ends with the one that ends first
 * @param logEvery steps between two log lines; 0 for none
 * @param evalEvery steps between two evaluations on the way; 0 for one at the end only
 * @param checkpointEvery steps between two checkpoints; 0 for none
 * @param batchSize examples in a batch
 * @param accumulation batches in a step; the last step of an epoch has what is left
 * @param shuffle whether each epoch is shuffled
 * @param seed of all that is random: the order of the examples and dropout
 */
public record TrainerSettings(
    Long steps,
    Double epochs,
    double learningRate,
    LearningRateSchedule.Decay decay,
    WarmUp warmUp,
    long logEvery,
    long evalEvery,
    long checkpointEvery,
    int batchSize,
    int accumulation,
    boolean shuffle,
    long seed) {
  /** Passes over the data where nothing else is given. */
  public static final double EPOCHS = 3;

  public TrainerSettings {
    BatchSource.requireBatchSize(batchSize);
    if (steps != null && steps < 1) {
      throw new LoraGraphException(steps + " training steps are not possible: give 1 or more");
    }
    if (epochs != null && (!(epochs > 0) || Double.isInfinite(epochs))) {
      throw new LoraGraphException(epochs + " epochs are not possible: give more than 0");
    }
    if (!(learningRate > 0) || Double.isInfinite(learningRate)) {
      throw new LoraGraphException("learning rate " + learningRate + " is not a positive number");
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

  /** The steps of an epoch of so many batches: the last one may have fewer of them. */
  public long stepsPerEpoch(long batchesPerEpoch) {
    return (batchesPerEpoch + accumulation - 1) / accumulation;
  }

  /** The same in other batches. */
  TrainerSettings withBatches(int size, int perStep) {
    return new TrainerSettings(
        steps,
        epochs,
        learningRate,
        decay,
        warmUp,
        logEvery,
        evalEvery,
        checkpointEvery,
        size,
        perStep,
        shuffle,
        seed);
  }

  /** The number of steps over data of so many batches an epoch. */
  public long totalSteps(long batchesPerEpoch) {
    if (epochs == null && steps != null) {
      return steps;
    }
    long ofEpochs = stepsOf(epochs == null ? EPOCHS : epochs, batchesPerEpoch);
    return steps == null ? ofEpochs : Math.min(steps, ofEpochs);
  }

  private long stepsOf(double passes, long batchesPerEpoch) {
    return (long) Math.ceil(passes * stepsPerEpoch(batchesPerEpoch));
  }

  /** The learning rate of each of so many steps. */
  public LearningRateSchedule schedule(long totalSteps) {
    return new LearningRateSchedule(decay, learningRate, warmUp.of(totalSteps), totalSteps);
  }

  /** What of the settings has no effect over data of so many batches an epoch, a line each. */
  public List<String> remarks(long batchesPerEpoch) {
    List<String> remarks = new ArrayList<>();
    long total = totalSteps(batchesPerEpoch);
    if (steps != null && epochs != null) {
      long ofEpochs = stepsOf(epochs, batchesPerEpoch);
      remarks.add(
          steps <= ofEpochs
              ? String.format(
                  Locale.ROOT,
                  "%,d steps end before %s epochs would (%,d steps): the run ends with the steps",
                  steps,
                  number(epochs),
                  ofEpochs)
              : String.format(
                  Locale.ROOT,
                  "%s epochs are %,d steps, fewer than the %,d that are given: the run ends with the epochs",
                  number(epochs),
                  ofEpochs,
                  steps));
    }
    if (warmUp.steps() > 0 && warmUp.share() > 0) {
      remarks.add(
          "a warm-up of %,d steps is given, and one of a share of %s: the steps count"
              .formatted(warmUp.steps(), number(warmUp.share())));
    }
    long rise = warmUp.of(total);
    if (rise > 0 && decay == LearningRateSchedule.Decay.CONSTANT) {
      remarks.add(
          "the schedule constant has no warm-up: %s has one"
              .formatted(LearningRateSchedule.Decay.CONSTANT_WITH_WARMUP));
    } else if (rise >= total && total > 1) {
      remarks.add(
          String.format(
              Locale.ROOT,
              "a warm-up of %,d steps is not over in a run of %,d: the learning rate does not reach %s",
              rise,
              total,
              learningRate));
    }
    return remarks;
  }

  private static String number(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }
}
