package io.github.loragraph.cli;

import io.github.loragraph.TrainingListener;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes of the first signal during a training the wish to stop it, with a checkpoint. Before the
 * first step there is nothing to keep, and while the trained model is written it is soon done.
 */
final class StopRequest implements TrainingListener, AutoCloseable {
  private enum Phase {
    PREPARING,
    TRAINING,
    WRITING
  }

  private final ResultOutput output;
  private final @Nullable String untouched;
  private Phase phase = Phase.PREPARING;
  private volatile int signal;
  private long asked;

  /**
   * @param untouched what is said where the process ends before the first step; null where signals
   *     that come outside of steps are left to somebody else
   */
  StopRequest(ResultOutput output, @Nullable String untouched) {
    this.output = output;
    this.untouched = untouched;
    Signals.takenBy(this::ask);
  }

  @Override
  public synchronized void onTrainBegin(long totalSteps) {
    phase = Phase.TRAINING;
  }

  /** From now on the trained model is written. */
  @Override
  public synchronized void onTrainEnd() {
    phase = Phase.WRITING;
    if (signal != 0) {
      output.say("the last step was made: ending when the trained model is written");
    }
  }

  /** The second one is left to end the process. */
  private synchronized boolean ask(int number) {
    if (signal != 0) {
      return number == Signals.HANGUP || System.nanoTime() - asked < Signals.SAME_NANOS;
    }
    if (untouched == null && phase != Phase.TRAINING) {
      return false;
    }
    switch (phase) {
      case PREPARING -> {
        output.say(Objects.requireNonNull(untouched));
        return false;
      }
      case TRAINING ->
          output.say(
              "stopping after this batch%s; once more to end at once"
                  .formatted(untouched == null ? "" : ", with a checkpoint"));
      case WRITING ->
          output.say("ending when the trained model is written; once more to end at once");
    }
    asked = System.nanoTime();
    signal = number;
    return true;
  }

  @Override
  public boolean shouldTrainingStop() {
    return signal != 0;
  }

  /** The exit code of a run that was stopped. */
  int exitCode() {
    return Signals.exitCode(signal);
  }

  @Override
  public void close() {
    Signals.takenByNobody();
  }
}
