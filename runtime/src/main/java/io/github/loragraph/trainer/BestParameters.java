package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import org.jspecify.annotations.Nullable;

/** Where the parameters of a run's best evaluation are kept until it ends. */
public interface BestParameters {
  /**
   * Keeps the state of a step. Those of earlier ones may be asked for until a checkpoint names this
   * one.
   *
   * @param state the parameters, and what else a later run is to go on from
   * @throws io.github.loragraph.error.LoraGraphException if they cannot be written
   */
  void keep(long step, Checkpoint state);

  /**
   * The state of a step that was kept.
   *
   * @throws io.github.loragraph.error.LoraGraphException if they are not there any more
   */
  Checkpoint of(long step);

  /** In memory: those of the last step that was kept. */
  static BestParameters inMemory() {
    return new BestParameters() {
      private @Nullable Checkpoint kept;

      @Override
      public void keep(long step, Checkpoint state) {
        kept = state;
      }

      @Override
      public Checkpoint of(long step) {
        if (kept == null) {
          throw new IllegalStateException("nothing was kept");
        }
        return kept;
      }
    };
  }
}
