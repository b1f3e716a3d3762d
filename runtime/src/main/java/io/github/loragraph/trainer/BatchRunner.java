package io.github.loragraph.trainer;

import io.github.loragraph.data.Example;
import io.github.loragraph.engine.StepResult;
import java.util.List;

/** Takes the batches of steps through an engine. */
interface BatchRunner {
  /**
   * A batch that is not padded yet, with what the engine is to be told of it.
   *
   * @param share how much of the step's loss is the batch's
   * @param last whether it is the last of its step
   */
  record Part(List<Example> examples, double rate, double share, boolean last) {}

  /** The most batches that {@link #run} takes. */
  int batchesPerCall();

  /**
   * Forward and backward for each batch, and an update after the last of a step.
   *
   * @param parts 1 to {@link #batchesPerCall}
   * @param stop is called between calls of the engine, and may throw to leave the step unmade
   * @return what each of them told
   */
  List<StepResult> run(List<Part> parts, Runnable stop);
}
