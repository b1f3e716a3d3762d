package io.github.loragraph;

/**
 * Hears of a training's progress: {@code TrainerCallback} of transformers. It is called in the
 * thread that trains, which waits for it.
 *
 * <p>What it throws ends the training as any failure does: a training in a run folder can be gone
 * on with from its last checkpoint, and one that has none yet leaves no folder, and brings back the
 * one that it replaced. What {@link #onTrainEnd} throws is thrown when the trained model is
 * written.
 */
public interface TrainingListener {
  /**
   * Something that was guessed, cut, left out or decided, in one line. It goes as well to whom
   * {@link Model#withNotes} names; where that is nobody, to the logger unless a listener overrides
   * this.
   */
  default void onNote(String line) {}

  /**
   * A training that was stopped goes on after this step: once data and arguments were found to be
   * those of the run, directly before {@link #onTrainBegin}. Not called where the run had no
   * checkpoint yet, and so begins anew.
   */
  default void onResume(long step) {}

  /** Before the first step. */
  default void onTrainBegin(long totalSteps) {}

  /** After each step. */
  default void onStepEnd(StepMetrics step) {}

  /** Every {@code loggingSteps}: figures since the last time. */
  default void onLog(StepMetrics figures) {}

  /**
   * After an evaluation on held-out data; that at the end is in the result, too.
   *
   * @param step after which it was made
   */
  default void onEvaluate(long step, Evaluation evaluation) {}

  /** After a checkpoint was written into the run folder. */
  default void onSave(long step) {}

  /** After the last step and the last evaluation, before the trained model is written. */
  default void onTrainEnd() {}

  /**
   * Whether the training is to be stopped: asked after each batch, in evaluations too, or after the
   * batches that the engine runs at once. A training in a run folder then writes a checkpoint, from
   * which it can be gone on with. To cancel from another thread let this read a volatile variable,
   * or interrupt the thread that trains.
   */
  default boolean shouldTrainingStop() {
    return false;
  }
}
