package io.github.loragraph;

import java.time.Duration;
import java.util.Optional;

/**
 * Is told how an {@link Experiment} goes on, in the thread that runs it but where another is named.
 */
public interface ExperimentListener {
  /**
   * The runs are checked, and the first are about to begin.
   *
   * @param total of all runs
   * @param done of those that are done already
   * @param parallel how many are made at once, where memory allows
   * @param threads of each
   */
  default void onBegin(int total, int done, int parallel, int threads) {}

  /**
   * A run begins, or goes on; not any more after {@link #shouldStop}.
   *
   * @param name of its configuration
   */
  default void onRunBegin(String name, long seed) {}

  /**
   * A run has ended.
   *
   * @param done how many are at their end, failed ones among them and stopped ones not
   * @param left the time that the others will take, by those before; empty where it is not known
   */
  default void onRunEnd(ExperimentRun run, int done, int total, Optional<Duration> left) {}

  /** A line on what was guessed, left out or begun again; in any thread. */
  default void onNote(String line) {}

  /**
   * Whether to stop: runs that are at work stop with a checkpoint, and none is begun any more. Is
   * asked several times a second.
   */
  default boolean shouldStop() {
    return false;
  }
}
