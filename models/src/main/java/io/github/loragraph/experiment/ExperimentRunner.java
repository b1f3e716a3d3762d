package io.github.loragraph.experiment;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.ExperimentListener;
import io.github.loragraph.ExperimentResult;
import io.github.loragraph.ExperimentRun;
import io.github.loragraph.PlannedRun;
import io.github.loragraph.error.Counted;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.ProcessLock;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.report.ComparedRun;
import io.github.loragraph.report.ComparisonPage;
import io.github.loragraph.trainer.RunRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Makes the runs of an experiment in its folder, and the table of them as they end.
 *
 * <p>Long because what lies in the folder, and what is made of it, are one thing.
 */
public final class ExperimentRunner {
  private static final int SHOWN = 80;

  /** What makes a folder that of an experiment. */
  public static final String STATE = "experiment.json";

  private static final String RESULTS = "results.csv";
  private static final String PAGE = "compare.html";
  private static final String LOCK = ".lock";
  private static final String THREADS = "threads";
  private static final long POLL_MILLIS = 100;
  private static final double MEGABYTE = 1 << 20;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final RunProgram program;
  private final ExperimentFile experiment;
  private final Path folder;
  private final OptionalInt parallel;
  private final boolean replaceChanged;
  private final ExperimentListener listener;
  private final RunPlace place;
  private final ExperimentRun[] runs;

  /**
   * @param parallel runs at once; empty: as there are cores and memory for
   * @param replaceChanged whether runs are made anew that are asked for otherwise than they were
   */
  public ExperimentRunner(
      RunProgram program,
      ExperimentFile experiment,
      Path folder,
      OptionalInt parallel,
      boolean replaceChanged,
      ExperimentListener listener) {
    this.program = program;
    this.experiment = experiment;
    this.folder = folder.toAbsolutePath().normalize();
    this.parallel = parallel;
    this.replaceChanged = replaceChanged;
    this.listener = listener;
    this.place = new RunPlace(program, folder);
    this.runs = new ExperimentRun[experiment.runs().size()];
  }

  private record Event(int index, @Nullable RunEnd end) {}

  /**
   * Makes what is not done.
   *
   * @throws LoraGraphException as {@link io.github.loragraph.Experiment#run} says
   */
  public ExperimentResult run() {
    requireOwn();
    try (ProcessLock lock = place.lock()) {
      Objects.requireNonNull(lock);
      place.recover();
      Optional<JsonNode> state = state();
      state.ifPresent(this::requireThisOne);
      requireSame();
      noteOthers();
      List<RunSettings> all = experiment.runs();
      for (int i = 0; i < runs.length; i++) {
        runs[i] =
            place.isDone(all.get(i))
                ? done(all.get(i))
                : unfinished(
                    all.get(i),
                    place.isStopped(all.get(i))
                        ? ExperimentRun.Status.STOPPED
                        : ExperimentRun.Status.WAITING,
                    "");
      }
      List<RunSettings> left = left();
      Share share = share(state, left);
      noteThreads(share, left);
      write(share);
      table();
      return made(share, left.size());
    }
  }

  /**
   * What is to be done, with nothing done: the commands are those that {@link #run} makes the runs
   * by, with the threads that they would have now.
   */
  public List<PlannedRun> plan() {
    int threads = share(state(), left()).threads();
    return experiment.runs().stream()
        .map(
            run ->
                new PlannedRun(
                    run.name(),
                    run.seed(),
                    place
                        .change(run)
                        .map(line -> "changed: " + line)
                        .orElse(
                            place.isDone(run)
                                ? "done"
                                : place.isStopped(run) ? "goes on from its checkpoint" : "to do"),
                    place.commands(run, threads)))
        .toList();
  }

  /** How the machine is shared out. */
  private record Share(int parallel, int threads) {}

  /** An experiment that goes on has the threads that it began with: the last digits may differ. */
  private Share share(Optional<JsonNode> state, List<RunSettings> left) {
    int cores = ProcessPool.cores();
    int before = state.map(s -> s.path(THREADS).asInt()).orElse(0);
    if (parallel.isPresent()) {
      int atOnce = parallel.getAsInt();
      return new Share(atOnce, before > 0 ? before : ProcessPool.threadsOfEach(atOnce));
    }
    long memory = left.stream().mapToLong(place::memory).max().orElse(1);
    int most = Math.max(1, left.size());
    if (before > 0) {
      return new Share(
          ProcessPool.fitting(Math.min(most, Math.max(1, cores / before)), memory), before);
    }
    Optional<Integer> asked =
        left.stream().flatMap(run -> run.threads().stream()).max(Integer::compare);
    int fitting =
        ProcessPool.fitting(
            asked.isPresent() ? Math.min(most, Math.max(1, cores / asked.get())) : most, memory);
    return new Share(fitting, ProcessPool.threadsOfEach(fitting));
  }

  /** Says where runs do not get the threads that their number asks for. */
  private void noteThreads(Share share, List<RunSettings> left) {
    int own = ProcessPool.threadsOfEach(share.parallel);
    boolean shared = left.stream().anyMatch(run -> run.threads().isEmpty());
    if (parallel.isPresent() && shared && share.threads != own) {
      listener.onNote(
          "the runs keep the %d threads each that the experiment began with, and not %d, as the last digits may differ; a new folder begins with others"
              .formatted(share.threads, own));
    }
  }

  private List<RunSettings> left() {
    return experiment.runs().stream().filter(run -> !place.isDone(run)).toList();
  }

  private ExperimentResult made(Share share, int left) {
    BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    boolean stopped = false;
    try (ProcessPool pool =
        new ProcessPool(program, share.parallel, share.threads, listener::onNote)) {
      int waiting = left;
      int done = runs.length - waiting;
      listener.onBegin(runs.length, done, share.parallel, share.threads);
      for (int i = 0; i < runs.length; i++) {
        int index = i;
        if (runs[i].status() != ExperimentRun.Status.FINISHED) {
          // How a run ends is an event, a failure, too.
          var unused =
              place
                  .start(
                      pool,
                      experiment.runs().get(i),
                      OptionalLong.empty(),
                      () -> events.add(new Event(index, null)))
                  .thenAccept(end -> events.add(new Event(index, end)));
        }
      }
      Duration spent = Duration.ZERO;
      int timed = 0;
      while (waiting > 0) {
        if (!stopped && listener.shouldStop()) {
          stopped = true;
          pool.stop();
        }
        Event event = events.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
        if (event == null) {
          continue;
        }
        RunSettings settings = experiment.runs().get(event.index);
        RunEnd end = event.end;
        if (end == null) {
          if (!stopped) {
            listener.onRunBegin(settings.name(), settings.seed());
          }
          continue;
        }
        waiting--;
        done += end.status() == RunEnd.Status.STOPPED ? 0 : 1;
        runs[event.index] = ended(settings, end);
        table();
        // What is measured alone takes no time that says anything of trainings.
        if (end.status() == RunEnd.Status.FINISHED && !settings.isMeasured()) {
          spent = spent.plus(end.time());
          timed++;
        }
        Optional<Duration> time =
            timed == 0
                ? Optional.empty()
                : Optional.of(spent.multipliedBy(waiting).dividedBy((long) timed * share.parallel));
        if (!stopped || end.status() != RunEnd.Status.STOPPED) {
          listener.onRunEnd(runs[event.index], done, runs.length, time);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      stopped = true;
    }
    return new ExperimentResult(
        Arrays.asList(runs),
        stopped,
        folder.resolve(RESULTS),
        Optional.of(folder.resolve(PAGE)).filter(Files::exists));
  }

  private ExperimentRun ended(RunSettings settings, RunEnd end) {
    return switch (end.status()) {
      case FINISHED -> done(settings);
      case FAILED, UNPREPARED -> unfinished(settings, ExperimentRun.Status.FAILED, end.message());
      case STOPPED, PAUSED ->
          unfinished(
              settings,
              Files.exists(place.run(settings))
                  ? ExperimentRun.Status.STOPPED
                  : ExperimentRun.Status.WAITING,
              "");
    };
  }

  private ExperimentRun unfinished(
      RunSettings settings, ExperimentRun.Status status, String message) {
    return new ExperimentRun(
        settings.name(),
        settings.seed(),
        status,
        message,
        Map.of(),
        Optional.empty(),
        OptionalLong.empty(),
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        place.run(settings));
  }

  /** By what lies in its folder alone: it is the same for who comes later. */
  private ExperimentRun done(RunSettings settings) {
    Path run = place.run(settings);
    if (settings.isMeasured()) {
      MeasureTask.Measured measured = MeasureTask.read(run);
      return new ExperimentRun(
          settings.name(),
          settings.seed(),
          ExperimentRun.Status.FINISHED,
          "",
          measured.figures(),
          measured.score(),
          OptionalLong.of(0),
          OptionalDouble.empty(),
          measured.peakBytes().isPresent()
              ? OptionalDouble.of(measured.peakBytes().getAsLong() / MEGABYTE)
              : OptionalDouble.empty(),
          run);
    }
    Optional<RunRecord> record = RunRecord.read(run);
    OptionalDouble trainable =
        record.map(RunRecord::trainableParameters).orElse(OptionalDouble.empty());
    return new ExperimentRun(
        settings.name(),
        settings.seed(),
        ExperimentRun.Status.FINISHED,
        "",
        record.map(RunRecord::figures).orElse(Map.of()),
        record.map(r -> r.tree().path("score").asText()).filter(name -> !name.isEmpty()),
        trainable.isPresent()
            ? OptionalLong.of(Math.round(trainable.getAsDouble()))
            : OptionalLong.empty(),
        record.map(RunRecord::samplesPerSecond).orElse(OptionalDouble.empty()),
        record.map(RunRecord::peakMegabytes).orElse(OptionalDouble.empty()),
        run);
  }

  private void table() {
    ResultsTable.write(folder.resolve(RESULTS), folder, Arrays.asList(runs));
    page();
  }

  /** Trainings beside each other, once there is one: what is measured alone has no curves. */
  private void page() {
    List<ComparedRun> compared = new ArrayList<>();
    boolean any = false;
    for (int i = 0; i < runs.length; i++) {
      RunSettings settings = experiment.runs().get(i);
      if (!settings.isMeasured()) {
        any |= runs[i].status() == ExperimentRun.Status.FINISHED;
        compared.add(
            new ComparedRun(
                settings.fullName(),
                settings.name(),
                Long.toString(settings.seed()),
                null,
                place.run(settings),
                settings.options()));
      }
    }
    if (!any) {
      return;
    }
    try {
      ComparisonPage.write(
          folder.resolve(PAGE),
          Path.of(experiment.file()).getFileName()
              + ": "
              + Counted.of(compared.size(), "run", "runs"),
          null,
          compared);
    } catch (LoraGraphException e) {
      listener.onNote("the page of the comparison is left out: " + e.getMessage());
    }
  }

  /** Refuses a folder that is something else's, before anything is written to it. */
  private void requireOwn() {
    if (!Files.exists(folder)) {
      return;
    }
    if (!Files.isDirectory(folder)) {
      throw new LoraGraphException(folder + " is a file", Remedy.CHOOSE_FOLDER);
    }
    if (Files.exists(folder.resolve(STATE))) {
      return;
    }
    try (Stream<Path> files = Files.list(folder)) {
      if (files.anyMatch(
          file ->
              !file.getFileName().toString().equals(LOCK) && !StagedFiles.isPartOf(file, STATE))) {
        throw new LoraGraphException(
            folder + " is not the folder of an experiment", Remedy.CHOOSE_FOLDER);
      }
    } catch (IOException e) {
      throw new LoraGraphException("cannot list " + folder + ": " + AtomicFile.reason(e), e);
    }
  }

  private Optional<JsonNode> state() {
    Path file = folder.resolve(STATE);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(JSON.readTree(Files.readAllBytes(file)));
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(
          file + " is damaged: delete it together with its folder, or choose another folder", e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  private void write(Share share) {
    Map<String, Object> state = new LinkedHashMap<>();
    state.put("version", 1);
    state.put("file", Path.of(experiment.file()).toAbsolutePath().normalize().toString());
    state.put(THREADS, share.threads);
    state.put("runs", experiment.runs().stream().map(RunSettings::fullName).toList());
    AtomicFile.write(
        folder.resolve(STATE),
        true,
        out -> out.write(JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(state)));
  }

  /** A run that is asked for otherwise than it was made is never taken for what is asked for. */
  private void requireSame() {
    for (RunSettings run : experiment.runs()) {
      Optional<String> change = place.change(run);
      if (change.isEmpty()) {
        continue;
      }
      if (!replaceChanged) {
        throw new LoraGraphException(
            "%s: %s has begun otherwise: %s; give the run another name, or another folder"
                .formatted(experiment.file(), run.fullName(), change.get()),
            Remedy.REPLACE_CHANGED);
      }
      listener.onNote("%s is made anew: %s".formatted(run.fullName(), change.get()));
      place.giveUp(run);
    }
  }

  /** Of an experiment that is gone on with some run is asked for still. */
  private void requireThisOne(JsonNode state) {
    Set<String> before = new LinkedHashSet<>();
    state.path("runs").forEach(name -> before.add(name.asText()));
    Set<String> now =
        experiment.runs().stream().map(RunSettings::fullName).collect(Collectors.toSet());
    if (!before.isEmpty() && Collections.disjoint(before, now)) {
      throw new LoraGraphException(
          "%s has another experiment, that of %s: of its runs (%s) none is asked for"
              .formatted(
                  folder,
                  state.path("file").asText(),
                  PlainText.shortened(String.join(", ", before), SHOWN)),
          Remedy.CHOOSE_FOLDER);
    }
  }

  /** Says which runs of the folder are not asked for any more. */
  private void noteOthers() {
    Set<String> names =
        experiment.runs().stream().map(RunSettings::fullName).collect(Collectors.toSet());
    Path made = folder.resolve("runs");
    if (!Files.isDirectory(made)) {
      return;
    }
    try (Stream<Path> files = Files.list(made)) {
      List<String> others =
          files
              .filter(Files::isDirectory)
              .map(file -> file.getFileName().toString())
              .filter(name -> !name.startsWith(".") && !names.contains(name))
              .sorted()
              .toList();
      if (!others.isEmpty()) {
        listener.onNote(
            "%s in %s not asked for any more: kept, and not in the table (%s)"
                .formatted(
                    Counted.of(others.size(), "run", "runs"),
                    made,
                    String.join(", ", others.subList(0, Math.min(5, others.size())))));
      }
    } catch (IOException e) {
      throw new LoraGraphException("cannot list " + made + ": " + AtomicFile.reason(e), e);
    }
  }
}
