package io.github.loragraph.search;

/**
 * What came of a part of a trial.
 *
 * @param status whether it was measured, failed, had no model to begin with, or was stopped before
 * @param objective the figure to judge by; NaN where it is not defined, or there is none
 * @param step the steps that the trial has made
 * @param totalSteps those of a whole training; 0 where that is not known
 * @param seconds of work for all parts of the trial
 * @param message why it failed, in one line; else empty
 */
record TrialFigure(
    Status status, double objective, long step, long totalSteps, double seconds, String message) {
  enum Status {
    MEASURED,
    FAILED,
    UNPREPARED,
    STOPPED
  }

  static TrialFigure failed(String message) {
    return new TrialFigure(Status.FAILED, Double.NaN, 0, 0, 0, message);
  }

  static TrialFigure unprepared(String message) {
    return new TrialFigure(Status.UNPREPARED, Double.NaN, 0, 0, 0, message);
  }

  static TrialFigure stopped() {
    return new TrialFigure(Status.STOPPED, Double.NaN, 0, 0, 0, "");
  }
}
