package io.github.loragraph.trainer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import io.github.loragraph.LoraGraphException;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.CheckpointFile;
import io.github.loragraph.evaluation.Report;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.NewFolder;
import io.github.loragraph.file.ProcessEnd;
import io.github.loragraph.file.ProcessLock;
import io.github.loragraph.file.TemporaryFolder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The folder of one training run: {@code config.yaml} (everything that decided it), {@code
 * metrics.jsonl} (a line for each logged step and each evaluation), {@code checkpoints/} while it
 * goes on, and at the end {@code model.onnx}. A folder without the model is that of a run that was
 * stopped, and can be gone on with; a run that fails before its first checkpoint leaves no folder.
 * One process at a time trains in a folder, where the file system has locks.
 */
public final class RunFolder implements TrainingListener, AutoCloseable {
  /** The trained model in a run folder. */
  public static final String MODEL = "model.onnx";

  /** The options of the run. */
  public static final String CONFIG = "config.yaml";

  private static final String METRICS = "metrics.jsonl";
  private static final String LOCK = ".lock";
  private static final String CHECKPOINTS = "checkpoints";
  private static final String CHECKPOINT = "step-%08d";
  private static final Pattern CHECKPOINT_NAME = Pattern.compile("step-(\\d{8,})");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ObjectMapper YAML =
      new ObjectMapper(new YAMLFactory().disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER));

  private final Path folder;

  private final ReplacedRun replaced;
  private final ProcessLock lock;
  private final BufferedWriter metrics;
  private final Runnable cleanUp = this::leave;
  private boolean finished;

  private RunFolder(Path folder, ReplacedRun replaced, ProcessLock lock) throws IOException {
    this.folder = folder;
    this.replaced = replaced;
    this.lock = lock;
    this.metrics =
        Files.newBufferedWriter(
            folder.resolve(METRICS), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    // A run that is interrupted leaves nothing behind that cannot be gone on with.
    ProcessEnd.add(cleanUp);
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
      throw new LoraGraphException(target + " is a file: name a folder for the run with -o");
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
    if (ProcessLock.isLocked(target.resolve(LOCK))) {
      throw inUse(target);
    }
    if (!replace && isUnfinished(target)) {
      throw new LoraGraphException(
          "%s is a run that was stopped: go on with it by --resume %s, choose another folder with -o, or replace it with --force"
              .formatted(target, target));
    }
    if (!replace) {
      throw new LoraGraphException(
          target + " exists already: choose another folder with -o, or replace it with --force");
    }
    if (!Files.exists(target.resolve(CONFIG)) || !Files.exists(target.resolve(METRICS))) {
      throw new LoraGraphException(
          target + " is not the folder of a run, so it is not replaced: choose another with -o");
    }
  }

  private static LoraGraphException inUse(Path folder) {
    return new LoraGraphException(
        "another process is training in %s: wait until it is done, or stop it".formatted(folder));
  }

  /** Whether a folder is that of a run without its end. */
  public static boolean isUnfinished(Path folder) {
    return Files.exists(folder.resolve(CONFIG)) && !Files.exists(folder.resolve(MODEL));
  }

  /**
   * Begins a run. The folder appears with its configuration in it.
   *
   * @param replace whether a run folder in its place is replaced; it comes back if the run fails
   *     before its first checkpoint
   * @param config everything that decides the run, by name
   */
  public static RunFolder begin(Path target, boolean replace, Map<String, ?> config) {
    checkTarget(target, replace);
    try {
      Path made = NewFolder.beside(target);
      Files.writeString(
          made.resolve(CONFIG), YAML.writeValueAsString(config), StandardCharsets.UTF_8);
      // With it the folder is that of a run from the moment it appears.
      Files.createFile(made.resolve(METRICS));
      boolean worthless = isUnfinished(target) && checkpoints(target).isEmpty();
      ReplacedRun replaced = ReplacedRun.replace(target, made, worthless);
      return new RunFolder(target, replaced, lock(target));
    } catch (IOException e) {
      throw new LoraGraphException("cannot write " + target + ": " + AtomicFile.reason(e), e);
    }
  }

  private static ProcessLock lock(Path folder) {
    return ProcessLock.tryLock(folder.resolve(LOCK)).orElseThrow(() -> inUse(folder));
  }

  /**
   * Goes on with a run that was stopped: lines of its metrics after the checkpoint are taken out.
   *
   * @param start the run's last checkpoint; null where it has none
   */
  public static RunFolder resume(Path target, Checkpoint start) {
    ProcessLock lock = lock(target);
    try {
      return resume(target, start, lock);
    } catch (IOException e) {
      lock.close();
      throw new LoraGraphException("cannot write " + target + ": " + AtomicFile.reason(e), e);
    } catch (RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  private static RunFolder resume(Path target, Checkpoint start, ProcessLock lock)
      throws IOException {
    requireUnfinishedAlone(target);
    long step = start == null ? 0 : start.group(Checkpoint.GROUP).map(g -> g.step()).orElse(0L);
    List<Path> checkpoints = checkpoints(target);
    if (!checkpoints.isEmpty() && stepOf(checkpoints.get(checkpoints.size() - 1)) != step) {
      throw new LoraGraphException(
          "another process has trained in %s meanwhile: resume it once more".formatted(target));
    }
    Path metrics = target.resolve(METRICS);
    if (Files.exists(metrics)) {
      List<String> kept = new ArrayList<>();
      for (String line : Files.readAllLines(metrics)) {
        if (isUpTo(line, step)) {
          kept.add(line);
        }
      }
      AtomicFile.write(
          metrics,
          true,
          out ->
              out.write(
                  String.join("", kept.stream().map(l -> l + "\n").toList())
                      .getBytes(StandardCharsets.UTF_8)));
    }
    ReplacedRun replaced = ReplacedRun.of(target);
    if (start != null) {
      replaced.discard();
    }
    return new RunFolder(target, replaced, lock);
  }

  /** A line that the end of the process tore is no JSON, and goes, too. */
  private static boolean isUpTo(String line, long step) {
    try {
      return JSON.readTree(line).path("step").asLong(Long.MAX_VALUE) <= step;
    } catch (JsonProcessingException e) {
      return false;
    }
  }

  /**
   * Refuses a folder that no run can be gone on with in.
   *
   * @throws LoraGraphException if it is no run folder, the run is finished, or another process is
   *     training in it
   */
  public static void requireUnfinished(Path folder) {
    requireUnfinishedAlone(folder);
    if (ProcessLock.isLocked(folder.resolve(LOCK))) {
      throw inUse(folder);
    }
  }

  private static void requireUnfinishedAlone(Path folder) {
    if (!Files.isRegularFile(folder.resolve(CONFIG))) {
      throw new LoraGraphException(
          "%s is not the folder of a run: it has no %s".formatted(folder, CONFIG));
    }
    if (!isUnfinished(folder)) {
      throw new LoraGraphException(
          "the run in %s is finished: train its model further with 'lora-graph train %s'"
              .formatted(folder, folder));
    }
  }

  /** The last checkpoint of a run; empty before the first. */
  public static Optional<Checkpoint> lastCheckpoint(Path folder) {
    List<Path> files = checkpoints(folder);
    return files.isEmpty()
        ? Optional.empty()
        : Optional.of(
            CheckpointFile.read(
                files.get(files.size() - 1),
                "delete it: the run then goes on from the checkpoint before, or begins anew"));
  }

  /** By their steps. */
  private static List<Path> checkpoints(Path folder) {
    Path checkpoints = folder.resolve(CHECKPOINTS);
    if (!Files.isDirectory(checkpoints)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(checkpoints)) {
      return files
          .filter(f -> CHECKPOINT_NAME.matcher(f.getFileName().toString()).matches())
          .sorted(Comparator.comparingLong(RunFolder::stepOf))
          .toList();
    } catch (IOException e) {
      throw new LoraGraphException("cannot list " + checkpoints + ": " + AtomicFile.reason(e), e);
    }
  }

  private static long stepOf(Path checkpoint) {
    Matcher name = CHECKPOINT_NAME.matcher(checkpoint.getFileName().toString());
    return name.matches() ? Long.parseLong(name.group(1)) : -1;
  }

  @Override
  public void checkpoint(long step, Checkpoint state) {
    List<Path> older = checkpoints(folder);
    CheckpointFile.write(
        state, folder.resolve(CHECKPOINTS).resolve(CHECKPOINT.formatted(step)), true);
    try {
      for (Path file : older) {
        Files.deleteIfExists(file);
      }
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

  /** Where it stands: other files of the run may be put there. */
  public Path path() {
    return folder;
  }

  /** Writes the trained model, which ends the run, and takes the checkpoints away. */
  public synchronized void finish(OnnxModel trained) {
    try {
      metrics.close();
      OnnxFile.write(trained, folder.resolve(MODEL), true);
      finished = true;
      if (Files.exists(folder.resolve(CHECKPOINTS))) {
        TemporaryFolder.delete(folder.resolve(CHECKPOINTS));
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
    lock.close();
    if (finished || !checkpoints(folder).isEmpty() || !Files.exists(folder)) {
      return;
    }
    try {
      TemporaryFolder.delete(folder);
      replaced.putBack();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
