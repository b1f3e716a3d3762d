package io.github.loragraph;

import java.util.List;

/**
 * A run of an {@link Experiment}, before it is made.
 *
 * @param name of its configuration
 * @param state whether it is {@code done}, {@code to do}, done with other settings, or was stopped
 *     and goes on from its checkpoint
 * @param commands by which one would make it by hand, those that prepare its model first unless
 *     that is there; of one that is done, by which it was made
 */
public record PlannedRun(String name, long seed, String state, List<String> commands) {
  public PlannedRun {
    commands = List.copyOf(commands);
  }
}
