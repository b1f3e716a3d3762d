package io.github.loragraph.trainer;

import io.github.loragraph.data.Example;
import io.github.loragraph.engine.StepResult;
import java.util.List;

/** Takes the batches of steps, or their pieces, through an engine. */
interface BatchRunner {
  /**
   * A batch that is not padded yet, or a piece of one, with what the engine is to be told of it.
   *
   * @param of what it is, with how much of the step's loss that is
   * @param last whether it is the last of its step
   */
  record Part(StepCursor.Part of, double rate, boolean last) {
    List<Example> examples() {
      return of.examples();
    }

    double share() {
      return of.share();
    }
  }

  /** The most parts that {@link #run} takes. */
  int batchesPerCall();

  /**
   * Forward and backward for each part, and an update after the last of a step.
   *
   * @param parts 1 to {@link #batchesPerCall}
   * @param stop is called between calls of the engine, and may throw to leave the step unmade
   * @return what each of them told
   */
  List<StepResult> run(List<Part> parts, Runnable stop);
}
