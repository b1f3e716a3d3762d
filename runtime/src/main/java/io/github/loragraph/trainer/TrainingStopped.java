package io.github.loragraph.trainer;

/** Ends a run at the wish of a listener, after a checkpoint. */
public final class TrainingStopped extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final long step;

  /**
   * @param step the last step that was made
   */
  public TrainingStopped(long step) {
    super("stopped after step " + step);
    this.step = step;
  }

  /** The last step that was made. */
  public long step() {
    return step;
  }
}
