package io.github.loragraph.cli;

import java.util.concurrent.TimeUnit;

/**
 * Makes of the first signal the wish to stop all runs that are at work, with a checkpoint; the
 * second ends everything at once.
 */
final class ExperimentStop implements AutoCloseable {
  /** What comes so soon after the first signal is the same one: see {@link StopRequest}. */
  private static final long SAME_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private final ResultOutput output;
  private final Runnable first;
  private volatile int signal;
  private long asked;

  ExperimentStop(ResultOutput output) {
    this(output, () -> {});
  }

  /**
   * @param first is called at the first signal, in a thread of its own
   */
  ExperimentStop(ResultOutput output, Runnable first) {
    this.output = output;
    this.first = first;
    Signals.takenBy(this::ask);
  }

  private synchronized boolean ask(int number) {
    if (signal != 0) {
      return number == Signals.HANGUP || System.nanoTime() - asked < SAME_NANOS;
    }
    output.say("stopping the runs that are at work, with checkpoints; once more to end at once");
    asked = System.nanoTime();
    signal = number;
    first.run();
    return true;
  }

  /** Whether a signal has come. */
  boolean isAsked() {
    return signal != 0;
  }

  /** The exit code of what was stopped. */
  int exitCode() {
    return Signals.exitCode(signal);
  }

  @Override
  public void close() {
    Signals.takenByNobody();
  }
}
