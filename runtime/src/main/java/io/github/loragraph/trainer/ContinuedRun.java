package io.github.loragraph.trainer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.CheckpointFile;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.io.IOException;
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
 * @param passed the steps whose batches were drawn
 */
public record ContinuedRun(Path run, @Nullable Checkpoint state, long passed) {
  /** The property of a state that says how many steps' batches were drawn. */
  private static final String PASSED = "order.passed";

  /** Where a run goes on in another one: nothing of it for a run that begins. */
  public record Position(long step, long passed) {
    /** Of a run that begins. */
    public static final Position START = new Position(0, 0);
  }

  /**
   * Reads what a run left.
   *
   * @throws LoraGraphException if the run is not finished, or what it left cannot be read
   */
  public static ContinuedRun read(Path run) {
    requireFinished(run);
    Path file = run.resolve(RunFolder.OPTIMIZER);
    if (!Files.exists(file)) {
      return new ContinuedRun(run, null, lastStep(run));
    }
    CheckpointFile.readChecked(file);
    Checkpoint state = CheckpointFile.readCopied(file);
    if (!(state.properties().get(PASSED) instanceof Long passed)) {
      throw new LoraGraphException(file + " is not what a run leaves of its optimizer");
    }
    return new ContinuedRun(run, CheckpointMarks.stateAlone(state), passed);
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

  /** With what {@link #read} asks of it. */
  static Checkpoint left(Checkpoint state, long passed) {
    return CheckpointMarks.stateAlone(state).with(PASSED, passed);
  }

  private static long lastStep(Path run) {
    Path metrics = run.resolve(RunFolder.METRICS);
    long last = 0;
    try {
      for (String line : Files.readAllLines(metrics)) {
        JsonNode entry = new ObjectMapper().readTree(line);
        last = Math.max(last, entry.path("step").asLong());
      }
      return last;
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + metrics + ": " + AtomicFile.reason(e), e);
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
            "'%s' has other values in the model than %s left: give the run itself as the model"
                .formatted(tensor.name(), run));
      }
    }
    return this;
  }

  /** Where it goes on. */
  public Position position() {
    return new Position(state == null ? 0 : RunCheckpoints.stepIn(state), passed);
  }
}
