package io.github.loragraph;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A training was stopped at the wish of a listener, or since its thread was interrupted. In a run
 * folder it can be gone on with ({@link TrainingArguments.Builder#resumeFromCheckpoint}).
 */
public final class TrainingCancelledException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final long step;
  private final transient @Nullable Path runFolder;

  TrainingCancelledException(long step, @Nullable Path runFolder, Throwable cause) {
    super("the training was stopped after step " + step, cause);
    this.step = step;
    this.runFolder = runFolder;
  }

  /** The last step that was made. */
  public long step() {
    return step;
  }

  /** Where the checkpoint is; empty where the training had no run folder. */
  public Optional<Path> runFolder() {
    return Optional.ofNullable(runFolder);
  }
}
