package io.github.loragraph.engine;

import java.util.Locale;

/** Which engine runs the steps. */
public enum EngineKind {
  /** The one that is faster here, measured before the run. */
  AUTO,
  /** {@link GraphEngine}. */
  GRAPH,
  /** {@link TrainingApiEngine}. */
  TRAINING_API;

  /** The name on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
