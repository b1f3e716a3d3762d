package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.data.Padding;
import io.github.loragraph.onnx.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the checkpoint of a run says besides parameters and moments. */
final class CheckpointMarks {
  /** The property that names the engine. */
  static final String ENGINE = "engine";

  /** The property that says how much of a batch is computed at once. */
  static final String MICRO_BATCH = "micro-batch";

  /** The property that says how many pieces of the layers are computed again. */
  private static final String RECOMPUTED = "recomputed";

  /** The property of one whose step is evaluated, but was not yet. */
  private static final String EVALUATION_DUE = "evaluation.due";

  /** The property of one after the last step, which has parameters alone. */
  private static final String FINISHED = "finished";

  /** What the names of properties begin with that are about the run's course. */
  private static final List<String> OF_RUN = List.of("log.", "best.", "padding.");

  private static final String TOKENS = "padding.tokens";
  private static final String PADDING = "padding.count";

  private CheckpointMarks() {}

  static Checkpoint padded(Checkpoint state, Padding padding) {
    return state.with(TOKENS, padding.tokens()).with(PADDING, padding.padding());
  }

  /** Of the batches of the run before a checkpoint; of none where there is none. */
  static Padding padding(@Nullable Checkpoint start) {
    return start != null
            && start.properties().get(TOKENS) instanceof Long tokens
            && start.properties().get(PADDING) instanceof Long padding
        ? new Padding(tokens, padding)
        : Padding.NONE;
  }

  /**
   * What was chosen when the run of a checkpoint began; empty where it is of no run, or there is
   * none. Runs from before there were pieces had none.
   */
  static Optional<MicroBatch> microBatch(@Nullable Checkpoint start) {
    if (start == null || !(start.properties().get(ENGINE) instanceof String)) {
      return Optional.empty();
    }
    return Optional.of(
        start.properties().get(MICRO_BATCH) instanceof String chosen
            ? MicroBatch.parse(chosen)
            : MicroBatch.WHOLE);
  }

  /** With what was chosen for a limit of memory, where there is one. */
  static Checkpoint within(Checkpoint state, MemoryLimit limit) {
    OptionalInt chosen = limit.chosen();
    return chosen.isPresent() ? state.with(RECOMPUTED, (long) chosen.getAsInt()) : state;
  }

  /** How many pieces that run computes again by a limit; empty where it has chosen nothing. */
  static OptionalInt recomputed(@Nullable Checkpoint start) {
    return start != null && start.properties().get(RECOMPUTED) instanceof Long pieces
        ? OptionalInt.of(pieces.intValue())
        : OptionalInt.empty();
  }

  static Checkpoint evaluationDue(Checkpoint state) {
    return state.with(EVALUATION_DUE, 1L);
  }

  /** Whether the run that goes on from a checkpoint, or null, begins with an evaluation. */
  static boolean evaluates(@Nullable Checkpoint start) {
    return start != null && start.properties().containsKey(EVALUATION_DUE);
  }

  /** That of a run all of whose steps are made. */
  static Checkpoint finished(long step, List<Tensor> parameters) {
    Checkpoint.OptimizerGroup group =
        new Checkpoint.OptimizerGroup(Checkpoint.GROUP, step, 0, Map.of());
    return new Checkpoint(parameters, List.of(), false, List.of(group), Map.of(FINISHED, 1L));
  }

  /** The same of a checkpoint with moments, which a later run goes on from. */
  static Checkpoint finished(Checkpoint state) {
    return state.with(FINISHED, 1L);
  }

  /** Without what it says of its run. */
  static Checkpoint stateAlone(Checkpoint checkpoint) {
    Map<String, Object> own = new TreeMap<>(checkpoint.properties());
    own.keySet()
        .removeIf(
            name ->
                name.equals(EVALUATION_DUE)
                    || name.equals(FINISHED)
                    || name.equals(ENGINE)
                    || name.equals(MICRO_BATCH)
                    || name.equals(RECOMPUTED)
                    || OF_RUN.stream().anyMatch(name::startsWith));
    return new Checkpoint(
        checkpoint.trainable(),
        checkpoint.frozen(),
        checkpoint.nominal(),
        checkpoint.groups(),
        own);
  }

  static boolean isFinished(@Nullable Checkpoint start) {
    return start != null && start.properties().containsKey(FINISHED);
  }

  /** What the engine begins with where a run goes on from a checkpoint; null where it begins. */
  static @Nullable Checkpoint engineStart(@Nullable Checkpoint start) {
    return start != null && isFinished(start) && !hasMoments(start)
        ? Checkpoint.ofParameters(start.trainable())
        : start;
  }

  static boolean hasMoments(Checkpoint checkpoint) {
    return checkpoint
        .group(Checkpoint.GROUP)
        .filter(group -> !group.states().isEmpty())
        .isPresent();
  }
}
