package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.task.Report;
import java.util.Map;

/** Hears of a training's progress. */
public interface TrainingListener {
  /**
   * Before the first step, and where a run is gone on with: how much of a batch is computed at
   * once.
   */
  default void computes(MicroBatch microBatch) {}

  /**
   * The same of a training whose memory is limited.
   *
   * @param pieces of the layers that are computed a second time for the way back, from the first
   */
  default void recomputes(int pieces) {}

  /** Before the first step. */
  default void started(long totalSteps) {}

  /** After each step. */
  default void step(StepRecord record) {}

  /**
   * After each step: what it was of.
   *
   * @param nanos that it took, as its share of the call of the engine
   */
  default void worked(int examples, long nanos) {}

  /**
   * After each call of the engine, and where a run is gone on with.
   *
   * @param share of the tokens of all batches so far that is padding, from 0 to 1
   */
  default void padded(double share) {}

  /** Every {@code logEvery} steps: figures since the last log. */
  default void log(StepRecord record) {}

  /** Something that was decided on the way, in one line. */
  default void note(String line) {}

  /**
   * Every {@code checkpointEvery} steps, after the last one, and where the run is stopped: all that
   * is needed to go on from here. Where the step is evaluated, that comes after it.
   */
  default void checkpoint(long step, Checkpoint state) {}

  /**
   * Asked after each batch, in evaluations too, or after the last of those that the engine runs at
   * once: whether the run is to be stopped here. A checkpoint is made then.
   */
  default boolean wantsToStop() {
    return false;
  }

  /**
   * An answer of an evaluation on held-out examples.
   *
   * @param number of the example, from 0; they come in any order
   * @param logits of the example, of all its tokens where they are answered; not to be changed
   */
  default void answered(int number, float[] logits) {}

  /** After an evaluation. */
  default void evaluated(long step, Report report) {}

  /**
   * After an evaluation on the way or at the end that was better than all before it, where that
   * decides which parameters the run ends with.
   *
   * @param metric the name of the figure that counts
   */
  default void best(long step, String metric, double value) {}

  /**
   * After the last step, where a head was fitted to what the trained encoder says.
   *
   * @param step the last one
   * @param figures of the fit, by their names
   */
  default void fitted(long step, Map<String, Number> figures) {}

  /**
   * Figures of one step, or since the last log.
   *
   * @param step 1 at the first step
   * @param epoch passes over the data so far, with their fraction
   * @param loss mean over the steps that the record is of
   * @param learningRate of the last step
   * @param gradientNorm of the last step before clipping; NaN where gradients are not clipped, or
   *     were not finite
   * @param skippedSteps of the whole run so far, that changed nothing because a gradient was not
   *     finite
   * @param lossScale of the next step; NaN without loss scaling
   * @param samplesPerSecond over the time that the record is of, evaluations not counted
   */
  record StepRecord(
      long step,
      double epoch,
      double loss,
      double learningRate,
      double gradientNorm,
      long skippedSteps,
      double lossScale,
      double samplesPerSecond) {}
}
