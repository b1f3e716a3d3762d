package io.github.loragraph.experiment;

import io.github.loragraph.Dataset;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.RunProgram.Part;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.Checksum;
import io.github.loragraph.file.ProcessLock;
import io.github.loragraph.file.TemporaryFolder;
import io.github.loragraph.models.RunConfiguration;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.trainer.RunFolder;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A folder in which many runs are made: {@code models} with the models that were prepared for them,
 * {@code runs} with a run folder, a file of settings and a log for each. What is there already is
 * not done again.
 *
 * <p>Long because what a run is made of, and whether it is still that, are two sides of one thing.
 */
public final class RunPlace {
  private static final String RUNS = "runs";
  private static final String MODELS = "models";
  private static final String MODEL_FILE = "model.onnx";
  private static final String GIVEN_UP = ".given-up-";

  private static final int HASH_DIGITS = 10;
  private static final int MEGABYTE = 1 << 20;

  /** What a process holds without a model, and for the batches of a small one. */
  private static final long PROCESS_BYTES = 400L * MEGABYTE;

  /** The model in the file's map, in the session, and in that of an evaluation. */
  private static final int FROZEN_COPIES = 3;

  /** Parameters and two moments in two sets, gradients, and the model's own. */
  private static final int TRAINED_COPIES = 10;

  private final RunProgram program;
  private final Path folder;
  private final Map<Path, String> checksums = new ConcurrentHashMap<>();
  private final Map<Path, CompletableFuture<RunEnd>> preparations = new ConcurrentHashMap<>();

  /**
   * @param folder to work in; made where it is not there
   */
  public RunPlace(RunProgram program, Path folder) {
    this.program = program;
    this.folder = folder.toAbsolutePath().normalize();
  }

  /**
   * How a run is made.
   *
   * @param preparations in their order; empty where the model is taken as it is
   * @param model that is trained or measured
   * @param run the run folder
   * @param config the file of the run's settings
   */
  private record Plan(
      List<PrepareTask> preparations,
      String model,
      Path run,
      Path config,
      Map<String, Object> settings) {}

  /** The run folder of a run, whether it is there or not. */
  public Path run(RunSettings settings) {
    return folder.resolve(RUNS).resolve(settings.fullName());
  }

  private Path config(RunSettings settings) {
    return folder.resolve(RUNS).resolve(settings.fullName() + ".yaml");
  }

  /** Whether all of a run is done. */
  public boolean isDone(RunSettings settings) {
    Path run = run(settings);
    return settings.isMeasured() ? MeasureTask.isDone(run) : RunFolder.isFinished(run);
  }

  /** Whether a run was stopped, and has a checkpoint to go on from. */
  public boolean isStopped(RunSettings settings) {
    return !settings.isMeasured() && !isDone(settings) && RunFolder.hasCheckpoint(run(settings));
  }

  private boolean hasBegun(RunSettings settings) {
    Path run = run(settings);
    return Files.exists(run)
        && (MeasureTask.isDone(run) || RunFolder.isFinished(run) || RunFolder.isUnfinished(run));
  }

  private String checksum(Path file) {
    return checksums.computeIfAbsent(file, Checksum::of);
  }

  /** What a model is made of, in one text. */
  private String identity(RunSettings settings) {
    StringBuilder text = new StringBuilder();
    settings.modelFiles().forEach(file -> text.append(checksum(file)).append('\n'));
    return text.toString();
  }

  private Plan plan(RunSettings settings) {
    List<PrepareTask> tasks = new ArrayList<>();
    String model = settings.model();
    String identity = identity(settings);
    Map<String, Object> prepared = new LinkedHashMap<>();
    prepared.put("source", settings.model());
    Map<String, List<String>> ofSource = settings.ofSource();
    if (settings.head().isPresent()) {
      Map<String, List<String>> words = new LinkedHashMap<>(settings.head().get());
      words.putIfAbsent("seed", List.of(Long.toString(settings.seed())));
      prepared.put("head", text(words));
      words.putAll(ofSource);
      ofSource = Map.of();
      identity = hash(identity + new TreeMap<>(words) + labels(words));
      Path made = folder.resolve(MODELS).resolve("head-" + identity);
      tasks.add(
          new PrepareTask(
              "head of " + settings.fullName(),
              program.arguments(Part.HEAD, model, words, Optional.of(made)),
              made,
              made.resolve(MODEL_FILE),
              memory(settings, FROZEN_COPIES)));
      model = made.toString();
    }
    if (!settings.adapters().isEmpty()) {
      Map<String, List<String>> words = new LinkedHashMap<>(settings.adapters());
      words.put("seed", List.of(Long.toString(settings.seed())));
      prepared.put("adapters", text(words));
      words.putAll(ofSource);
      words.putAll(settings.outputName());
      ofSource = Map.of();
      identity = hash(identity + new TreeMap<>(words));
      Path made = folder.resolve(MODELS).resolve("adapters-" + identity);
      Path file = made.resolve(MODEL_FILE);
      tasks.add(
          new PrepareTask(
              "adapters of " + settings.fullName(),
              program.arguments(Part.ADAPTERS, model, words, Optional.of(file)),
              made,
              file,
              memory(settings, FROZEN_COPIES)));
      model = file.toString();
    }
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("model", model);
    config.putAll(text(ofSource));
    config.putAll(text(settings.training()));
    if (!settings.isMeasured()) {
      config.put("seed", Long.toString(settings.seed()));
    }
    config.put(RunConfiguration.PREPARED_FROM, prepared);
    Map<String, Object> sums = new LinkedHashMap<>();
    sums.put("model", hash(identity(settings)));
    settings.dataFiles().forEach((key, files) -> sums.put(key, checksum(files)));
    config.put(RunConfiguration.CHECKSUMS, sums);
    return new Plan(tasks, model, run(settings), config(settings), config);
  }

  private String labels(Map<String, List<String>> words) {
    List<String> files = words.get("labels-from");
    return files == null ? "" : checksum(Dataset.files(files).files());
  }

  private String checksum(List<Path> files) {
    return files.size() == 1
        ? checksum(files.get(0))
        : hash(String.join(" ", files.stream().map(this::checksum).toList()));
  }

  private static Map<String, Object> text(Map<String, List<String>> settings) {
    Map<String, Object> text = new LinkedHashMap<>();
    settings.forEach(
        (key, values) ->
            text.put(key, values.size() == 1 ? values.get(0) : String.join("\n", values)));
    return text;
  }

  private static String hash(String text) {
    return new Checksum.Builder()
        .add(text.getBytes(StandardCharsets.UTF_8))
        .build()
        .replaceAll("\\W", "")
        .substring(0, HASH_DIGITS);
  }

  /** The bytes that the process of a run is expected to hold. */
  public long memory(RunSettings settings) {
    return memory(settings, settings.isFull() ? TRAINED_COPIES : FROZEN_COPIES);
  }

  private static long memory(RunSettings settings, int copies) {
    Path file = settings.source().modelFile();
    long bytes = size(file);
    for (Path data : OnnxFile.dataFiles(file)) {
      bytes += size(data);
    }
    return PROCESS_BYTES + copies * bytes;
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  /**
   * What a run that has begun was asked for otherwise than it is now.
   *
   * @return a line for people; empty where it is the same, or nothing is lost by another
   */
  public Optional<String> change(RunSettings settings) {
    Path config = config(settings);
    if (!hasBegun(settings) || !Files.exists(config)) {
      return Optional.empty();
    }
    Map<String, String> then = flat(RunConfiguration.entries(config));
    Map<String, String> now = flat(plan(settings).settings());
    Set<String> keys = new LinkedHashSet<>(now.keySet());
    keys.addAll(then.keySet());
    keys.remove("model");
    for (String key : keys) {
      String before = then.get(key);
      String after = now.get(key);
      if (!isSame(before, after)) {
        String name = key.substring(key.lastIndexOf('.') + 1);
        return Optional.of(
            key.startsWith(RunConfiguration.CHECKSUMS)
                ? "the content of its %s has changed".formatted(name)
                : "%s was %s and is %s".formatted(name, shown(before), shown(after)));
      }
    }
    return Optional.empty();
  }

  private static String shown(@Nullable String value) {
    return value == null ? "not given" : value.replace("\n", ", ");
  }

  private static Map<String, String> flat(Map<String, ?> entries) {
    Map<String, String> flat = new LinkedHashMap<>();
    entries.forEach(
        (key, value) -> {
          if (value instanceof Map<?, ?> map) {
            map.forEach((k, v) -> flat(Map.of(key + "." + k, v)).forEach(flat::put));
          } else {
            flat.put(key, String.valueOf(value));
          }
        });
    return flat;
  }

  private static boolean isSame(@Nullable String a, @Nullable String b) {
    if (a == null || b == null || a.equals(b)) {
      return Objects.equals(a, b);
    }
    try {
      return new BigDecimal(a).compareTo(new BigDecimal(b)) == 0;
    } catch (NumberFormatException e) {
      return false;
    }
  }

  /**
   * Takes away what is there of a run, so that it is made anew.
   *
   * @throws LoraGraphException if a process is at work on it, or it cannot be deleted
   */
  public void giveUp(RunSettings settings) {
    Path run = run(settings);
    try {
      if (!Files.exists(run)) {
        return;
      }
      if (RunFolder.isInUse(run)) {
        throw new LoraGraphException(
            "another process is training in %s: wait until it is done, or stop it".formatted(run));
      }
      Path aside = Files.createTempDirectory(folder, GIVEN_UP);
      Files.move(run, aside.resolve(settings.fullName()));
      TemporaryFolder.delete(aside);
    } catch (IOException e) {
      throw new LoraGraphException("cannot delete " + run + ": " + AtomicFile.reason(e), e);
    }
  }

  /** Takes away what a killed process had given up and not deleted yet. */
  public void recover() {
    try (var files = Files.newDirectoryStream(folder, GIVEN_UP + "*")) {
      for (Path left : files) {
        TemporaryFolder.delete(left);
      }
    } catch (IOException e) {
      throw new LoraGraphException("cannot clear up " + folder + ": " + AtomicFile.reason(e), e);
    }
  }

  /**
   * The lock of the folder, which one process at a time works in. To be closed.
   *
   * @throws LoraGraphException if another has it, or the folder cannot be made
   */
  public ProcessLock lock() {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new LoraGraphException("cannot make %s: %s".formatted(folder, AtomicFile.reason(e)), e);
    }
    return ProcessLock.tryLock(folder.resolve(".lock"))
        .orElseThrow(
            () ->
                new LoraGraphException(
                    "another process works in %s: wait until it is done, or stop it"
                        .formatted(folder)));
  }

  /** The arguments by which a process prepares the model of a run, as far as that is not done. */
  public List<List<String>> preparations(RunSettings settings) {
    return plan(settings).preparations().stream()
        .filter(task -> !Files.isRegularFile(task.model()))
        .map(PrepareTask::arguments)
        .toList();
  }

  /**
   * Writes the file of a run's settings, with the checksums of its model and data. Runs are the
   * same where these files are.
   */
  public Path writeSettings(RunSettings settings) {
    Plan plan = plan(settings);
    write(plan);
    return plan.config();
  }

  /**
   * The arguments by which a process trains a run whose model is prepared and whose settings are
   * written, or goes on with it from its checkpoint.
   */
  public List<String> training(RunSettings settings) {
    return isStopped(settings)
        ? program.resume(run(settings), OptionalLong.empty())
        : program.train(config(settings), run(settings), OptionalInt.empty(), OptionalLong.empty());
  }

  /**
   * The commands that a run is made by, as a user would type them, those of its preparations first.
   *
   * @param threads of a run that has not begun and does not say them itself
   */
  public List<String> commands(RunSettings settings, int threads) {
    Plan plan = plan(settings);
    if (isStopped(settings)) {
      return List.of(program.typed(program.resume(plan.run(), OptionalLong.empty())));
    }
    List<String> commands = new ArrayList<>();
    boolean done = isDone(settings);
    plan.preparations().stream()
        .filter(task -> done || !Files.isRegularFile(task.model()))
        .forEach(task -> commands.add(program.typed(task.arguments())));
    Map<String, List<String>> words = new LinkedHashMap<>(settings.training());
    if (plan.preparations().isEmpty()) {
      words.putAll(settings.ofSource());
    }
    if (settings.threads().isEmpty()) {
      words.put(
          RunSettings.THREADS, List.of(Integer.toString(threads(plan.run()).orElse(threads))));
    }
    if (settings.isMeasured()) {
      commands.add(
          program.typed(program.arguments(Part.MEASURING, plan.model(), words, Optional.empty())));
    } else {
      words.put("seed", List.of(Long.toString(settings.seed())));
      commands.add(
          program.typed(
              program.arguments(Part.TRAINING, plan.model(), words, Optional.of(plan.run()))));
    }
    return commands;
  }

  /** Those of a run that has begun, which it keeps; empty where none has. */
  private static OptionalInt threads(Path run) {
    Path config = run.resolve(RunFolder.CONFIG);
    return Files.exists(config)
            && RunConfiguration.entries(config).get(RunSettings.THREADS) instanceof Integer number
        ? OptionalInt.of(number)
        : OptionalInt.empty();
  }

  /**
   * Makes a run as soon as the pool has room: its model is prepared, unless that is done for
   * another run, then it is trained. What is done already is not done again, and what was stopped
   * goes on.
   *
   * @param stopAfter the step after which it stops with a checkpoint; empty: at its end
   * @param begun is called in another thread when its training is begun or gone on with
   * @return never fails: what went wrong is in the end that it gives
   */
  public CompletableFuture<RunEnd> start(
      ProcessPool pool, RunSettings settings, OptionalLong stopAfter, Runnable begun) {
    try {
      return started(pool, settings, stopAfter, begun).exceptionally(RunEnd::failed);
    } catch (LoraGraphException e) {
      return CompletableFuture.completedFuture(RunEnd.failed(e));
    }
  }

  private CompletableFuture<RunEnd> started(
      ProcessPool pool, RunSettings settings, OptionalLong stopAfter, Runnable begun) {
    if (isDone(settings)) {
      return CompletableFuture.completedFuture(new RunEnd(RunEnd.Status.FINISHED, "", 0, 0));
    }
    Plan plan = plan(settings);
    CompletableFuture<RunEnd> last =
        CompletableFuture.completedFuture(new RunEnd(RunEnd.Status.FINISHED, "", 0, 0));
    for (PrepareTask task : plan.preparations()) {
      CompletableFuture<RunEnd> before = last;
      // One that is seen to have failed is tried again for the next run that needs it.
      last =
          preparations.compute(
              task.model(),
              (model, known) ->
                  known == null || hasFailed(known)
                      ? before.thenCompose(end -> next(pool, end, task, () -> {}))
                      : known);
    }
    return last.thenCompose(
        end -> {
          if (end.status() != RunEnd.Status.FINISHED) {
            return CompletableFuture.completedFuture(
                end.status() == RunEnd.Status.FAILED
                    ? new RunEnd(
                        RunEnd.Status.UNPREPARED, end.message(), end.time(), end.peakBytes())
                    : end);
          }
          write(plan);
          return pool.run(task(settings, plan, stopAfter), begun);
        });
  }

  private static boolean hasFailed(CompletableFuture<RunEnd> known) {
    return known.isCompletedExceptionally()
        || (known.isDone() && known.join().status() != RunEnd.Status.FINISHED);
  }

  private static CompletableFuture<RunEnd> next(
      ProcessPool pool, RunEnd before, PoolTask task, Runnable begun) {
    return before.status() == RunEnd.Status.FINISHED
        ? pool.run(task, begun)
        : CompletableFuture.completedFuture(before);
  }

  private PoolTask task(RunSettings settings, Plan plan, OptionalLong stopAfter) {
    if (settings.isMeasured()) {
      Map<String, List<String>> words = new LinkedHashMap<>(settings.training());
      if (plan.preparations().isEmpty()) {
        words.putAll(settings.ofSource());
      }
      return new MeasureTask(
          settings.fullName(),
          program.arguments(Part.MEASURING, plan.model(), words, Optional.empty()),
          settings.threads().isPresent(),
          plan.run(),
          memory(settings));
    }
    TrainTask task =
        new TrainTask(program, settings.fullName(), plan.config(), plan.run(), memory(settings));
    if (settings.threads().isPresent()) {
      task = task.withOwnThreads();
    }
    return stopAfter.isPresent() ? task.stoppingAfter(stopAfter.getAsLong()) : task;
  }

  private static void write(Plan plan) {
    byte[] yaml = RunConfiguration.yaml(plan.settings());
    AtomicFile.write(plan.config(), true, out -> out.write(yaml));
  }
}
