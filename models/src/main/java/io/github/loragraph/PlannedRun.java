package io.github.loragraph;

import java.util.List;

/**
 * A run of an {@link Experiment}, before it is made.
 *
 * @param name of its configuration
 * @param state whether it is {@code done}, {@code to do}, or done with other settings
 * @param commands by which one would make it by hand, those that prepare its model first
 */
public record PlannedRun(String name, long seed, String state, List<String> commands) {
  public PlannedRun {
    commands = List.copyOf(commands);
  }
}
