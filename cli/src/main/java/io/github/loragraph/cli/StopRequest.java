package io.github.loragraph.cli;

import io.github.loragraph.TrainingListener;
import java.util.concurrent.TimeUnit;

/**
 * Makes of the first signal during a training the wish to stop it, with a checkpoint. Before the
 * first step there is nothing to keep, and while the trained model is written it is soon done.
 */
final class StopRequest implements TrainingListener, AutoCloseable {
  /**
   * What comes so soon after the first signal is the same one: some senders signal the process and
   * then its group, as {@code timeout} does.
   */
  private static final long SAME_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private enum Phase {
    PREPARING,
    TRAINING,
    WRITING
  }

  private final ResultOutput output;
  private final String untouched;
  private Phase phase = Phase.PREPARING;
  private volatile int signal;
  private long asked;

  /**
   * @param untouched what is said where the process ends before the first step
   */
  StopRequest(ResultOutput output, String untouched) {
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
      return number == Signals.HANGUP || System.nanoTime() - asked < SAME_NANOS;
    }
    switch (phase) {
      case PREPARING -> {
        output.say(untouched);
        return false;
      }
      case TRAINING ->
          output.say("stopping after this batch, with a checkpoint; once more to end at once");
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
