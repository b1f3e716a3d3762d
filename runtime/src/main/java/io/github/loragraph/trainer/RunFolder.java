package io.github.loragraph.trainer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import io.github.loragraph.adapter.PeftAdapter;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.CheckpointFile;
import io.github.loragraph.error.Advice;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.ProcessEnd;
import io.github.loragraph.file.ProcessLock;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.file.TemporaryFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.task.Report;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The folder of one training run: {@code config.yaml} (everything that decided it), {@code
 * metrics.jsonl} (a line for each logged step and each evaluation), {@code checkpoints/} while it
 * goes on, and at the end {@code adapter/}, {@code model.onnx} or both. A folder without them is
 * that of a run that was stopped, and can be gone on with (see {@link StoppedRun}); a run that
 * fails before its first checkpoint leaves no folder. One process at a time trains in a folder,
 * where the file system has locks. Who makes it closes it, and gives the lock back by that.
 *
 * <p>Long because its parts are read together.
 */
public final class RunFolder implements TrainingListener, AutoCloseable {
  /** The trained model in a run folder. */
  public static final String MODEL = "model.onnx";

  /** The folder of what the run learned, in a run folder: an adapter in PEFT's layout. */
  public static final String ADAPTER = "adapter";

  /** The options of the run. */
  public static final String CONFIG = "config.yaml";

  /** A line for each log entry and each evaluation. */
  public static final String METRICS = "metrics.jsonl";

  /** The state of the optimizer that a finished run leaves where it is small. */
  public static final String OPTIMIZER = "optimizer.ckpt";

  /** The checkpoint of a step, by its path in the run folder. */
  public static String checkpoint(long step) {
    return RunCheckpoints.FOLDER + "/" + RunCheckpoints.name(step);
  }

  /** Names in a line of the metrics what comes after the steps. */
  static final String STAGE = "stage";

  static final String LOCK = ".lock";

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ObjectMapper YAML =
      new ObjectMapper(new YAMLFactory().disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER));

  private final Path folder;

  private final RunCheckpoints checkpoints;
  private final ReplacedRun replaced;
  private final ProcessLock lock;
  private final BufferedWriter metrics;
  private final Runnable cleanUp = this::leave;
  private volatile boolean finished;

  RunFolder(Path folder, RunCheckpoints checkpoints, ReplacedRun replaced, ProcessLock lock)
      throws IOException {
    this.folder = folder;
    this.checkpoints = checkpoints;
    this.replaced = replaced;
    this.lock = lock;
    this.metrics =
        Files.newBufferedWriter(
            folder.resolve(METRICS), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    // A run that is interrupted leaves nothing behind that cannot be gone on with.
    ProcessEnd.add(cleanUp);
  }

  /**
   * Ends what a killed process had begun in the place of a run: the run that it had moved aside,
   * and not replaced, comes back. To be called before a run is begun or gone on with.
   *
   * @param notes takes a line where one came back
   * @throws LoraGraphException if it cannot be put back
   */
  public static void recover(Path target, Consumer<String> notes) {
    finishWriting(target);
    try {
      if (ReplacedRun.recover(target)) {
        notes.accept(
            "%s was being replaced when its process was killed: the run before is put back"
                .formatted(target));
      }
    } catch (IOException e) {
      throw new LoraGraphException(
          "cannot put back what %s was before: %s".formatted(target, AtomicFile.reason(e)), e);
    }
  }

  /**
   * Finishes what a process that was killed had begun to put into a run folder as its end.
   *
   * @throws LoraGraphException if that is not possible
   */
  public static void finishWriting(Path folder) {
    if (Files.exists(folder.resolve(CONFIG))) {
      StagedFiles.finishInterrupted(folder);
    }
  }

  /**
   * Refuses a place that is taken; to be called before long work.
   *
   * @throws LoraGraphException if the folder exists and may not be replaced, or is no run folder
   */
  public static void checkTarget(Path target, boolean replace) {
    if (!Files.exists(target)) {
      return;
    }
    if (!Files.isDirectory(target)) {
      throw new LoraGraphException(target + " is a file", Remedy.CHOOSE_FOLDER);
    }
    boolean empty;
    try (Stream<Path> files = Files.list(target)) {
      empty = files.findAny().isEmpty();
    } catch (IOException e) {
      throw new LoraGraphException("cannot list " + target + ": " + AtomicFile.reason(e), e);
    }
    if (empty) {
      return;
    }
    if (isInUse(target)) {
      throw inUse(target);
    }
    if (!replace && isUnfinished(target)) {
      throw new LoraGraphException(
          target + " is a run that was stopped", Remedy.RESUME_OR_REPLACE_RUN.with(target));
    }
    if (!replace) {
      throw new LoraGraphException(target + " exists already", Remedy.REPLACE_FOLDER);
    }
    if (!Files.exists(target.resolve(CONFIG)) || !Files.exists(target.resolve(METRICS))) {
      throw new LoraGraphException(
          target + " is not the folder of a run, so it is not replaced", Remedy.CHOOSE_FOLDER);
    }
  }

  /** Whether a process is training in a folder. */
  public static boolean isInUse(Path folder) {
    return ProcessLock.isLocked(folder.resolve(LOCK));
  }

  static LoraGraphException inUse(Path folder) {
    return new LoraGraphException("another process is training in " + folder, Remedy.WAIT_FOR_RUN);
  }

  /**
   * Whether a training was refused since its folder has a run already that is not over: another
   * process has begun it, or goes on with it.
   */
  public static boolean isTaken(LoraGraphException refusal) {
    return refusal
        .advice()
        .map(Advice::remedy)
        .filter(remedy -> remedy == Remedy.WAIT_FOR_RUN || remedy == Remedy.RESUME_OR_REPLACE_RUN)
        .isPresent();
  }

  /** Whether a folder is that of a run without its end. */
  public static boolean isUnfinished(Path folder) {
    return Files.exists(folder.resolve(CONFIG)) && !hasResult(folder);
  }

  /** Whether a folder is that of a run with its end. */
  public static boolean isFinished(Path folder) {
    return Files.exists(folder.resolve(CONFIG)) && hasResult(folder);
  }

  private static boolean hasResult(Path folder) {
    return Files.exists(folder.resolve(MODEL)) || hasAdapter(folder);
  }

  /** Whether a folder is that of a run that has written an adapter. */
  public static boolean hasAdapter(Path folder) {
    return Files.exists(folder.resolve(CONFIG))
        && Files.isRegularFile(folder.resolve(ADAPTER).resolve(PeftAdapter.TENSORS_FILE));
  }

  /** Whether the run of a folder has a checkpoint, be it damaged: such a run is kept. */
  public static boolean hasCheckpoint(Path folder) {
    return !new RunCheckpoints(folder).isEmpty();
  }

  /**
   * Begins a run. The folder appears with its configuration in it.
   *
   * @param replace whether a run folder in its place is replaced; it comes back if the run fails
   *     before its first checkpoint
   * @param config everything that decides the run, by name
   * @throws LoraGraphException as {@link #checkTarget} does, or if the folder cannot be written
   */
  public static RunFolder begin(Path target, boolean replace, Map<String, ?> config) {
    recover(target, line -> {});
    checkTarget(target, replace);
    @Nullable Path made = null;
    @Nullable ProcessLock lock = null;
    try {
      made = ReplacedRun.made(target);
      lock = lock(made, target);
      String yaml = YAML.writeValueAsString(config);
      AtomicFile.write(
          made.resolve(CONFIG), false, out -> out.write(yaml.getBytes(StandardCharsets.UTF_8)));
      // With it the folder is that of a run from the moment it appears.
      Files.createFile(made.resolve(METRICS));
      boolean worthless = isUnfinished(target) && new RunCheckpoints(target).isEmpty();
      ReplacedRun replaced = replace(target, made, worthless);
      lock.movedTo(target.resolve(LOCK));
      return new RunFolder(target, new RunCheckpoints(target), replaced, lock);
    } catch (IOException | RuntimeException e) {
      if (lock != null) {
        lock.close();
      }
      deleteQuietly(made);
      throw e instanceof IOException io
          ? new LoraGraphException("cannot write " + target + ": " + AtomicFile.reason(io), io)
          : (RuntimeException) e;
    }
  }

  /** Nobody may go on with the run that is replaced meanwhile. */
  private static ReplacedRun replace(Path target, Path made, boolean worthless) throws IOException {
    if (!Files.exists(target.resolve(CONFIG))) {
      return ReplacedRun.replace(target, made, worthless);
    }
    ProcessLock former = lock(target, target);
    try {
      return ReplacedRun.replace(target, made, worthless);
    } finally {
      former.close();
    }
  }

  private static void deleteQuietly(@Nullable Path made) {
    try {
      if (made != null && Files.exists(made)) {
        TemporaryFolder.delete(made);
      }
    } catch (IOException e) {
      // The first failure is the one to report, and the next run takes it away.
    }
  }

  static ProcessLock lock(Path folder, Path run) {
    return ProcessLock.tryLock(folder.resolve(LOCK)).orElseThrow(() -> inUse(run));
  }

  /**
   * Refuses a folder whose run cannot be resumed.
   *
   * @throws LoraGraphException if it is no run folder, the run is finished, or another process is
   *     training in it
   */
  public static void requireUnfinished(Path folder) {
    requireUnfinishedAlone(folder);
    if (isInUse(folder)) {
      throw inUse(folder);
    }
  }

  /** Why what is named as a run is none: it is not there, is something else, or holds runs. */
  public static LoraGraphException noRun(Path folder) {
    if (!Files.exists(folder)) {
      return new LoraGraphException("no such run: " + folder);
    }
    Path runs = folder.resolve("runs");
    return new LoraGraphException(
        Files.isDirectory(runs)
            ? "%s is not the folder of a run: it has several in %s, name one of them; %s compares them"
                .formatted(folder, runs, folder.resolve("compare.html"))
            : "%s is not the folder of a run: it has no %s".formatted(folder, CONFIG));
  }

  static void requireUnfinishedAlone(Path folder) {
    if (!Files.isRegularFile(folder.resolve(CONFIG))) {
      throw noRun(folder);
    }
    if (!isUnfinished(folder)) {
      throw new LoraGraphException(
          "the run in %s is finished".formatted(folder), Remedy.TRAIN_FURTHER.with(folder));
    }
  }

  @Override
  public void checkpoint(long step, Checkpoint state) {
    checkpoints.write(step, state);
    try {
      replaced.discard();
    } catch (IOException e) {
      throw new LoraGraphException("cannot write " + folder + ": " + AtomicFile.reason(e), e);
    }
  }

  @Override
  public void log(StepRecord r) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", r.step());
    line.put("epoch", r.epoch());
    line.put("loss", r.loss());
    line.put("learningRate", r.learningRate());
    if (Double.isFinite(r.gradientNorm())) {
      line.put("gradientNorm", r.gradientNorm());
    }
    if (!Double.isNaN(r.lossScale())) {
      line.put("lossScale", r.lossScale());
      line.put("skippedSteps", r.skippedSteps());
    }
    line.put("samplesPerSecond", r.samplesPerSecond());
    append(line);
  }

  @Override
  public void evaluated(long step, Report report) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", step);
    report
        .finiteFigures()
        .forEach(
            (name, value) ->
                line.put(
                    "eval" + Character.toUpperCase(name.charAt(0)) + name.substring(1), value));
    append(line);
  }

  @Override
  public void fitted(long step, Map<String, Number> figures) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", step);
    line.put(STAGE, "head");
    line.putAll(figures);
    append(line);
  }

  private void append(Map<String, Object> line) {
    try {
      metrics.write(JSON.writeValueAsString(line));
      metrics.write('\n');
      metrics.flush();
    } catch (IOException e) {
      throw new LoraGraphException(
          "cannot write " + METRICS + " of " + folder + ": " + AtomicFile.reason(e), e);
    }
  }

  /** Keeps the best parameters of the run beside its checkpoints. */
  public BestParameters bestParameters() {
    return checkpoints;
  }

  /** Where it stands: other files of the run may be put there. */
  public Path path() {
    return folder;
  }

  /**
   * What a run leaves: an adapter, the whole model, or both.
   *
   * @param adapter what it learned, in PEFT's layout; null where that is no adapter
   * @param besideAdapter further files of the adapter's folder, by their names
   * @param model the trained model; null where the adapter is all
   * @param sharesWeights whether the model may refer to weights in the file that they came from, by
   *     a link in the run folder, instead of having them itself
   */
  public record Outcome(
      @Nullable PeftAdapter adapter,
      Map<String, byte[]> besideAdapter,
      @Nullable OnnxModel model,
      boolean sharesWeights) {
    public Outcome {
      if (adapter == null && model == null) {
        throw new IllegalArgumentException("a run leaves something");
      }
      besideAdapter = Map.copyOf(besideAdapter);
    }
  }

  /**
   * Writes what the run leaves, all or nothing, which ends it, and takes the checkpoints away.
   *
   * @param record what it says of itself; null where it says nothing
   * @param state what a later run goes on from; null where it is not kept
   * @throws LoraGraphException if it cannot be written; the checkpoints then stay
   */
  public void finish(Outcome outcome, @Nullable RunRecord record, @Nullable Checkpoint state) {
    try {
      metrics.close();
      if (state != null) {
        CheckpointFile.write(state, folder.resolve(OPTIMIZER), true);
      }
      try (StagedFiles files = new StagedFiles(folder, true)) {
        if (record != null) {
          files.write(folder.resolve(RunRecord.FILE), out -> out.write(record.bytes()));
        }
        if (outcome.adapter != null) {
          Path place = folder.resolve(ADAPTER);
          outcome.besideAdapter.forEach(
              (name, content) -> files.write(place.resolve(name), out -> out.write(content)));
          // Its tensors are what makes the run whole, so they come last.
          outcome.adapter.stage(place, files);
        }
        if (outcome.model != null && outcome.sharesWeights) {
          OnnxFile.stageReferring(outcome.model, folder.resolve(MODEL), true, files);
        } else if (outcome.model != null) {
          OnnxFile.stage(outcome.model, folder.resolve(MODEL), files);
        }
        files.commit();
      }
      finished = true;
      if (Files.exists(checkpoints.folder())) {
        TemporaryFolder.delete(checkpoints.folder());
      }
      replaced.discard();
    } catch (IOException e) {
      throw new LoraGraphException("cannot write " + folder + ": " + AtomicFile.reason(e), e);
    }
  }

  @Override
  public void close() {
    try {
      metrics.close();
    } catch (IOException e) {
      throw new LoraGraphException(
          "cannot write " + METRICS + " of " + folder + ": " + AtomicFile.reason(e), e);
    } finally {
      leave();
    }
    ProcessEnd.remove(cleanUp);
  }

  /** Takes the folder away if nothing in it is worth keeping, and puts back what it replaced. */
  private synchronized void leave() {
    try {
      if (!finished && checkpoints.isEmpty() && Files.exists(folder)) {
        replaced.putBack();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      lock.close();
    }
  }
}
