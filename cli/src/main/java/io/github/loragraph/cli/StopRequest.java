package io.github.loragraph.cli;

import io.github.loragraph.trainer.TrainingListener;

/** Makes of the first Ctrl-C during a training the wish to stop it after its step. */
final class StopRequest implements TrainingListener, AutoCloseable {
  private final ResultOutput output;
  private volatile boolean asked;

  StopRequest(ResultOutput output) {
    this.output = output;
  }

  @Override
  public void started(long totalSteps) {
    Signals.takenBy(this::ask);
  }

  /** The second one is left to end the process. */
  private synchronized boolean ask() {
    boolean first = !asked;
    asked = true;
    if (first) {
      output.log("stopping after this step; once more to end at once");
    }
    return first;
  }

  @Override
  public boolean wantsToStop() {
    return asked;
  }

  @Override
  public void close() {
    Signals.takenByNobody();
  }
}
