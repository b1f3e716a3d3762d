package io.github.loragraph.engine;

import java.util.Locale;

/** Which engine runs the steps. */
public enum EngineKind {
  /** The one that {@link #better} names, measured before the run. */
  AUTO,
  /** {@link GraphEngine}. */
  GRAPH,
  /** {@link TrainingApiEngine}. */
  TRAINING_API;

  /**
   * The engine to take, by the time of a step in each. The graph engine is the one that needs no
   * build of its own, and what is measured in a few steps is noisy: the other one has to be faster
   * by more than a tenth.
   */
  public static EngineKind better(double graphSeconds, double trainingApiSeconds) {
    return graphSeconds > 1.1 * trainingApiSeconds ? TRAINING_API : GRAPH;
  }

  /** The name by which it is chosen. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
