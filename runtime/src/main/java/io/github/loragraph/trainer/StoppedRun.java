package io.github.loragraph.trainer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.ProcessLock;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A run that was stopped, to be gone on with. It belongs to this process from the moment it is
 * opened, and stays as it is until {@link #goOn}. Who opens it closes it; after {@link #goOn} that
 * frees nothing, for the folder that it gave is to be closed.
 */
public final class StoppedRun implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final ProcessLock lock;
  private final Consumer<String> notes;
  private final RunCheckpoints checkpoints;
  private final @Nullable Checkpoint start;
  private boolean handedOver;

  private StoppedRun(Path folder, ProcessLock lock, Consumer<String> notes) {
    this.folder = folder;
    this.lock = lock;
    this.notes = notes;
    this.checkpoints = new RunCheckpoints(folder);
    this.start = checkpoints.last(notes).orElse(null);
  }

  /**
   * Opens a run and reads the checkpoint to go on from.
   *
   * @param notes takes a line for each checkpoint that is passed over since it is damaged, and
   *     where there is none to go on from
   * @throws LoraGraphException if it is no run folder, the run is finished, another process is
   *     training in it, or there are checkpoints and none can be gone on from
   */
  public static StoppedRun open(Path folder, Consumer<String> notes) {
    RunFolder.recover(folder, notes);
    RunFolder.requireUnfinishedAlone(folder);
    ProcessLock lock = RunFolder.lock(folder, folder);
    try {
      // Another process may have finished it before it could be locked.
      RunFolder.requireUnfinishedAlone(folder);
      StoppedRun run = new StoppedRun(folder, lock, notes);
      if (run.start == null) {
        notes.accept(folder + " has no checkpoint yet: the run begins anew, with its options");
      }
      return run;
    } catch (RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /** The last checkpoint that is whole; empty where the run begins anew. */
  public Optional<Checkpoint> start() {
    return Optional.ofNullable(start);
  }

  /**
   * The run's folder, to go on in: lines of its metrics after the checkpoint are taken out. It
   * belongs to who gets it, who closes it; this object then has nothing to close any more.
   *
   * @throws LoraGraphException if the folder cannot be written
   */
  public RunFolder goOn() {
    try {
      cutMetrics();
      TensorBoardFile.cut(
          folder, start == null ? 0 : start.step(), CheckpointMarks.evaluates(start));
      ReplacedRun replaced = ReplacedRun.of(folder);
      if (start != null) {
        replaced.discard();
      }
      RunFolder run = new RunFolder(folder, checkpoints, replaced, lock);
      handedOver = true;
      return run;
    } catch (IOException e) {
      throw new LoraGraphException("cannot write " + folder + ": " + AtomicFile.reason(e), e);
    }
  }

  /** The end of the process may have torn the last line; any other that is no JSON is named. */
  private void cutMetrics() throws IOException {
    Path metrics = folder.resolve(RunFolder.METRICS);
    if (!Files.exists(metrics)) {
      return;
    }
    byte[] bytes = Files.readAllBytes(metrics);
    ByteArrayOutputStream kept = new ByteArrayOutputStream(bytes.length);
    int number = 0;
    for (int begin = 0, end; begin < bytes.length; begin = end) {
      number++;
      end = begin;
      while (end < bytes.length && bytes[end] != '\n') {
        end++;
      }
      boolean torn = end == bytes.length;
      end = Math.min(bytes.length, end + 1);
      byte[] line = Arrays.copyOfRange(bytes, begin, end);
      Optional<JsonNode> entry = parsed(line);
      if (entry.isEmpty() && !torn) {
        notes.accept(
            "%s:%d is damaged: the line is left out, the training does not need it"
                .formatted(metrics, number));
      }
      if (!torn && entry.isPresent() && isBeforeStart(entry.get())) {
        kept.write(line);
      }
    }
    AtomicFile.write(metrics, true, kept::writeTo);
  }

  private static Optional<JsonNode> parsed(byte[] line) {
    try {
      JsonNode entry = JSON.readTree(line);
      return entry.path("step").isIntegralNumber() ? Optional.of(entry) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * The evaluation that is still to be made at the step of the checkpoint is made anew, and so is
   * what comes after the steps.
   */
  private boolean isBeforeStart(JsonNode entry) {
    long from = start == null ? 0 : start.step();
    if (entry.has(RunFolder.STAGE)) {
      return false;
    }
    long step = entry.get("step").asLong();
    return step < from
        || step == from && !(CheckpointMarks.evaluates(start) && isEvaluation(entry));
  }

  private static boolean isEvaluation(JsonNode entry) {
    return !entry.has("learningRate");
  }

  /** Leaves the run as it is, unless it was gone on with. */
  @Override
  public void close() {
    if (!handedOver) {
      lock.close();
    }
  }
}
