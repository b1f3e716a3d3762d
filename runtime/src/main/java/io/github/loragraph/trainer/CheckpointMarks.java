package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.onnx.Tensor;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the checkpoint of a run says besides parameters and moments. */
final class CheckpointMarks {
  /** The property that names the engine. */
  static final String ENGINE = "engine";

  /** The property of one whose step is evaluated, but was not yet. */
  private static final String EVALUATION_DUE = "evaluation.due";

  /** The property of one after the last step, which has parameters alone. */
  private static final String FINISHED = "finished";

  private CheckpointMarks() {}

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

  static boolean isFinished(@Nullable Checkpoint start) {
    return start != null && start.properties().containsKey(FINISHED);
  }

  /** What the engine begins with where a run goes on from a checkpoint; null where it begins. */
  static @Nullable Checkpoint engineStart(@Nullable Checkpoint start) {
    return start != null && isFinished(start) ? Checkpoint.ofParameters(start.trainable()) : start;
  }
}
