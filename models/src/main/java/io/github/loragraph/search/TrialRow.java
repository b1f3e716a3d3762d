package io.github.loragraph.search;

import java.util.Locale;
import java.util.Map;

/**
 * A trial as the tables of a search have it.
 *
 * @param number from 1
 * @param objective the figure at the step that it came to; NaN where it failed
 * @param step the steps that it made
 * @param totalSteps those of a whole training of it; 0 where that is not known
 * @param seconds of work
 * @param folder its run folder, in that of the search
 * @param failure why it failed; else empty
 */
public record TrialRow(
    int number,
    Map<String, Object> parameters,
    Status status,
    double objective,
    long step,
    long totalSteps,
    double seconds,
    String folder,
    String failure) {
  /** What became of a trial. */
  public enum Status {
    /** Trained whole. */
    COMPLETE,
    /** Left at a rung, since others were better there. */
    PRUNED,
    /** It ended without a figure, which is worse than any. */
    FAILED,
    /** Not at its end: it is at work, or goes on when the search does. */
    UNFINISHED;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
