package io.github.loragraph;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A training was stopped at the wish of a listener, or since its thread was interrupted. Once it
 * has begun in a run folder it can be gone on with ({@link
 * TrainingArguments.Builder#resumeFromCheckpoint}).
 */
public final class TrainingCancelledException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final long step;
  private final transient @Nullable Path runFolder;

  TrainingCancelledException(long step, @Nullable Path runFolder, @Nullable Throwable cause) {
    super("the training was stopped after step " + step, cause);
    this.step = step;
    this.runFolder = runFolder;
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
