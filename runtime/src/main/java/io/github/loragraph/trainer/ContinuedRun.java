package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.CheckpointFile;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A run that is over, and that another one goes on from: with its parameters, the state of its
 * optimizer where the run kept it, and the epochs after its own.
 *
 * @param run its folder
 * @param state parameters, moments and the number of steps that led there; null where the run kept
 *     none
 * @param passed how far it got through its data
 */
public record ContinuedRun(Path run, @Nullable Checkpoint state, Passed passed) {
  /**
   * How far a run got through its data, also in runs that it continued.
   *
   * @param steps those whose batches were drawn
   * @param stepsPerEpoch of its data, above 0
   */
  public record Passed(long steps, long stepsPerEpoch) {
    /** Epochs that were begun. */
    public long epochs() {
      return (steps + stepsPerEpoch - 1) / stepsPerEpoch;
    }
  }

  /**
   * Where a run goes on in another one: nothing of it for a run that begins.
   *
   * @param step of the optimizer; 0 where it begins anew
   * @param sameOrder whether the examples come in the order that they had
   */
  public record Position(long step, Passed passed, boolean sameOrder) {
    /** Of a run that begins. */
    public static final Position START = new Position(0, new Passed(0, 1), true);

    /**
     * The steps whose batches were drawn, as those of epochs of so many: in another order an epoch
     * that was begun cannot be gone on with, and the next one follows.
     */
    public long passed(long stepsPerEpoch) {
      return sameOrder && stepsPerEpoch == passed.stepsPerEpoch()
          ? passed.steps()
          : passed.epochs() * stepsPerEpoch;
    }
  }

  /**
   * Reads what a run left.
   *
   * @throws LoraGraphException if the run is not finished, or what it left cannot be read
   */
  public static ContinuedRun read(Path run) {
    requireFinished(run);
    Passed passed =
        RunRecord.read(run)
            .flatMap(RunRecord::passed)
            .orElseThrow(
                () ->
                    new LoraGraphException(
                        "%s does not say how far the run got through its data, so it cannot be continued"
                            .formatted(run.resolve(RunRecord.FILE))));
    Path file = run.resolve(RunFolder.OPTIMIZER);
    if (!Files.exists(file)) {
      return new ContinuedRun(run, null, passed);
    }
    CheckpointFile.readChecked(file);
    Checkpoint state = CheckpointFile.readCopied(file);
    if (!CheckpointMarks.hasMoments(state)) {
      throw new LoraGraphException(file + " is not what a run leaves of its optimizer");
    }
    return new ContinuedRun(run, state, passed);
  }

  /**
   * Refuses a folder whose run is not over.
   *
   * @throws LoraGraphException if it is none of a run, or that of one that was stopped
   */
  public static void requireFinished(Path run) {
    if (!RunFolder.isFinished(run)) {
      throw new LoraGraphException(
          Files.exists(run)
              ? "%s is not the folder of a finished run, so there is nothing to continue"
                  .formatted(run)
              : "no such run: " + run);
    }
  }

  /**
   * The same for a training of a model: without the state where it is of other parameters.
   *
   * @param trained the values that are trained
   * @param notes takes a line where the optimizer begins anew
   * @throws LoraGraphException if the model is not what the run left
   */
  public ContinuedRun of(OnnxModel model, Set<String> trained, Consumer<String> notes) {
    if (state == null) {
      notes.accept(run + " kept no state of its optimizer: the moments of AdamW begin anew");
      return this;
    }
    Set<String> names = state.trainable().stream().map(Tensor::name).collect(Collectors.toSet());
    if (!names.equals(trained)) {
      notes.accept(
          "%s trained other parameters than are trained now: the moments of AdamW begin anew"
              .formatted(run));
      return new ContinuedRun(run, null, passed);
    }
    for (Tensor tensor : state.trainable()) {
      Tensor there = model.graph().initializers().get(tensor.name());
      if (there != null && !Arrays.equals(there.toFloats(), tensor.toFloats())) {
        throw new LoraGraphException(
            "'%s' has other values in the model than %s left".formatted(tensor.name(), run),
            Remedy.TAKE_RUN_AS_MODEL.with(run));
      }
    }
    return this;
  }

  /**
   * Where it goes on.
   *
   * @param sameOrder whether the examples come in the order that they had
   */
  public Position position(boolean sameOrder) {
    return new Position(state == null ? 0 : state.step(), passed, sameOrder);
  }
}
