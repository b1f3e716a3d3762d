package io.github.loragraph;

import io.github.loragraph.trainer.RunFolder;
import java.nio.file.Path;

/**
 * How far the training in a run folder has come. A program that is to begin a training, or go on
 * with it where there is something to go on with, asks for it and says so:
 *
 * <pre>{@code
 * TrainingArguments arguments =
 *     TrainingArguments.builder()
 *         .outputDir(run)
 *         .resumeFromCheckpoint(RunState.of(run) == RunState.STOPPED)
 *         .build();
 * }</pre>
 *
 * It is what the folder says at that moment. A run that a process is still training in has not
 * ended, so it is {@link #STOPPED} here, too; who goes on with it, or begins one in its place, is
 * refused with {@link io.github.loragraph.error.LoraGraphException} until that process is done.
 */
public enum RunState {
  /**
   * No run: nothing is there, or what is there is no run folder. A training begins in a folder that
   * is not there or is empty, and is refused where anything else is.
   */
  NONE,

  /**
   * A run without its end: it was cancelled or killed, or it failed after a checkpoint. {@link
   * TrainingArguments.Builder#resumeFromCheckpoint} goes on from the last checkpoint that is whole,
   * or begins the run anew where it was killed before the first one. Without it a training in this
   * folder is refused, unless it may replace the run.
   */
  STOPPED,

  /**
   * A run with its trained model, which {@link Model#open(Path)} reads. There is nothing to go on
   * with, and {@code resumeFromCheckpoint} is refused; so is another training in this folder,
   * unless it may replace the run ({@link TrainingArguments.Builder#overwriteOutputDir}).
   */
  FINISHED;

  /**
   * The state of the run in a folder. Nothing is changed, locked or waited for.
   *
   * @param folder what a training was given by {@link TrainingArguments.Builder#outputDir}; need
   *     not be there
   */
  public static RunState of(Path folder) {
    if (RunFolder.isFinished(folder)) {
      return FINISHED;
    }
    return RunFolder.isUnfinished(folder) ? STOPPED : NONE;
  }
}
