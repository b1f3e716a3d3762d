package io.github.loragraph.trainer;

import java.util.List;

/**
 * Ends a run after a checkpoint: at the wish of a listener, or since it was to be stopped there.
 */
public final class TrainingStopped extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final long step;
  private final boolean planned;

  /**
   * At the wish of a listener.
   *
   * @param step the last step that was made
   */
  public TrainingStopped(long step) {
    this(step, false);
  }

  private TrainingStopped(long step, boolean planned) {
    super("stopped after step " + step);
    this.step = step;
    this.planned = planned;
  }

  /**
   * Ends it where a listener wants that.
   *
   * @param step the last step that was made
   */
  public static void ifWanted(List<TrainingListener> listeners, long step) {
    if (listeners.stream().anyMatch(TrainingListener::wantsToStop)) {
      throw new TrainingStopped(step);
    }
  }

  /** After the step that the settings name. */
  static TrainingStopped asPlanned(long step) {
    return new TrainingStopped(step, true);
  }

  /** Whether the settings named the step. */
  public boolean isPlanned() {
    return planned;
  }

  /** The last step that was made. */
  public long step() {
    return step;
  }
}
