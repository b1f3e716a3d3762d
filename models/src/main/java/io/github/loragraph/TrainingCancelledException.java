package io.github.loragraph;

import io.github.loragraph.trainer.TrainingStopped;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A training was stopped: at the wish of a listener, since its thread was interrupted, or after the
 * step that {@link TrainingArguments.Builder#stopAfterSteps} named. Once it has begun in a run
 * folder it can be gone on with ({@link TrainingArguments.Builder#resumeFromCheckpoint}).
 */
public final class TrainingCancelledException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final long step;
  private final transient @Nullable Path runFolder;
  private final boolean planned;

  TrainingCancelledException(long step, @Nullable Path runFolder, @Nullable TrainingStopped cause) {
    super("the training was stopped after step " + step, cause);
    this.step = step;
    this.runFolder = runFolder;
    this.planned = cause != null && cause.isPlanned();
  }

  /**
   * An interrupt is a wish to stop also where no listener is asked: before the first step.
   *
   * @param run null where nothing is kept
   */
  static void ifInterrupted(long step, @Nullable Path run) {
    if (Thread.currentThread().isInterrupted()) {
      throw new TrainingCancelledException(step, run, null);
    }
  }

  /** Whether {@link TrainingArguments.Builder#stopAfterSteps} named the step. */
  public boolean isPlanned() {
    return planned;
  }

  /** The last step that was made. */
  public long step() {
    return step;
  }

  /**
   * The run folder, in which the training can be gone on with; empty where there is none: none was
   * asked for, or the training was stopped before it began.
   */
  public Optional<Path> runFolder() {
    return Optional.ofNullable(runFolder);
  }
}
