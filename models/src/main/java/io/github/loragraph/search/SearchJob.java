package io.github.loragraph.search;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.ModelNeeds;
import io.github.loragraph.experiment.ProcessPool;
import io.github.loragraph.experiment.RunEnd;
import io.github.loragraph.experiment.RunPlace;
import io.github.loragraph.experiment.RunProgram;
import io.github.loragraph.experiment.RunSettings;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.Checksum;
import io.github.loragraph.trainer.RunRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One search from its file to its tables. What it finds in its folder is done; so it is killed and
 * begun again without doing anything twice.
 */
public final class SearchJob {
  /** How often the winner is trained again. */
  static final int REPEATS = 3;

  private final SearchFile file;
  private final Path folder;
  private final boolean replace;
  private final RunProgram program;
  private final Consumer<String> notes;

  /** Null while nothing runs. */
  private volatile @Nullable ProcessPool pool;

  private volatile boolean stopped;

  /** Set again once all trials have their checkpoints: who waits for them is not to be woken. */
  private boolean interrupted;

  /**
   * @param folder to search in
   * @param replace whether another search in the folder may be replaced
   * @param notes takes a line for what goes on, in any thread
   * @throws LoraGraphException if there is no program to train by
   */
  public SearchJob(SearchFile file, Path folder, boolean replace, Consumer<String> notes) {
    this.file = file;
    this.folder = folder;
    this.replace = replace;
    this.program = RunProgram.ofThisProcess();
    this.notes = notes;
  }

  /**
   * Refuses what no trial could be begun with, or the folder: each value of a choice, both ends of
   * a range and one between them are tried as settings. Nothing is written.
   *
   * @throws LoraGraphException if there is such a thing
   */
  public void check() {
    checkTrials();
    SearchFolder.check(folder, identity(), replace);
  }

  private void checkTrials() {
    trials(file, program);
  }

  /**
   * Trials of a search in which each value of a choice, both ends of a range and one between them
   * occur.
   *
   * @throws LoraGraphException if one of them could not be begun
   */
  public static List<RunSettings> trials(SearchFile file, RunProgram program) {
    ModelNeeds models = new ModelNeeds(program);
    List<RunSettings> trials = new ArrayList<>();
    for (Map<String, Object> corner : new LinkedHashSet<>(file.plan().space().corners())) {
      RunSettings trial = PooledTrials.tried(file, program, corner);
      models.require(file.file().toString(), trial);
      models.requireFigure(file.file() + ": objective", trial, file.plan().objective());
      trials.add(trial);
    }
    return trials;
  }

  /** What trials have in common, with some parameters. */
  private RunSettings first() {
    return PooledTrials.settings(file, program, 0, file.plan().space().corners().get(0));
  }

  /** Everything that decides the search, as its folder has it. */
  private Map<String, Object> identity() {
    Map<String, Object> identity = new LinkedHashMap<>();
    identity.putAll(file.model());
    identity.put("base", file.base());
    Map<String, Object> space = new LinkedHashMap<>();
    for (Parameter parameter : file.plan().space().parameters()) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("values", parameter.domain().toString());
      if (!parameter.when().isEmpty()) {
        entry.put("when", parameter.when());
      }
      if (parameter.points() > 0) {
        entry.put("points", parameter.points());
      }
      space.put(parameter.name(), entry);
    }
    identity.put("space", space);
    SearchPlan plan = file.plan();
    identity.put("trials", plan.trials());
    if (plan.dependsOnParallel()) {
      identity.put("parallel", plan.parallel());
    }
    identity.put("objective", plan.objective());
    identity.put("direction", plan.maximize() ? "maximize" : "minimize");
    identity.put("method", plan.method().toString());
    identity.put("reduction-factor", plan.pruning().reductionFactor());
    identity.put("rungs", plan.pruning().fractions());
    identity.put("seed", plan.seed());
    Map<String, Object> checksums = new LinkedHashMap<>();
    RunSettings first = first();
    checksums.put("model", first.modelFiles().stream().map(Checksum::of).toList());
    first
        .dataFiles()
        .forEach((name, files) -> checksums.put(name, files.stream().map(Checksum::of).toList()));
    identity.put(SearchFolder.CHECKSUMS, checksums);
    return identity;
  }

  /** Asks for the end: trials that are at work are stopped with a checkpoint. Any thread. */
  public void stop() {
    stopped = true;
    ProcessPool running = pool;
    if (running != null) {
      running.stop();
    }
  }

  /**
   * Searches, or goes on with it. An interrupt of the thread stops it as {@link #stop} does.
   *
   * @throws LoraGraphException as {@link #check} does, if the first trials all fail, or something
   *     cannot be read or written
   */
  public SearchOutcome run() {
    checkTrials();
    SearchPlan plan = file.plan();
    int threads = ProcessPool.threadsOfEach(plan.parallel());
    try (SearchFolder open = SearchFolder.open(folder, identity(), threads, replace);
        ProcessPool processes = new ProcessPool(program, plan.parallel(), open.threads(), notes)) {
      plan.remarks().forEach(notes);
      if (open.threads() != threads && first().threads().isEmpty()) {
        notes.accept(
            "trials keep the %d threads each that the search began with, and not %d, as the last digits may differ"
                .formatted(open.threads(), threads));
      }
      pool = processes;
      if (stopped) {
        processes.stop();
      }
      RunPlace place = new RunPlace(program, open.path());
      PooledTrials trials = new PooledTrials(file, program, place, processes);
      SearchRun run =
          new SearchRun(
              plan,
              new SearchJournal(open.path()),
              trials,
              new SaidTrials(
                  plan,
                  new TimeLeft(plan, System::nanoTime),
                  notes,
                  rows -> {
                    open.writeTrials(plan.space(), rows);
                    page(open, rows, List.of(), Optional.empty());
                  }));
      boolean done = all(run);
      List<TrialRow> rows = run.rows();
      open.writeTrials(plan.space(), rows);
      Optional<Integer> winner = done ? run.winner() : Optional.empty();
      List<SearchOutcome.Repeat> repeats =
          winner.isPresent() ? repeats(rows.get(winner.get()), place, processes) : List.of();
      boolean whole = done && (winner.isEmpty() || repeats.size() == REPEATS);
      if (whole) {
        removeCheckpoints(rows);
      }
      page(open, rows, repeats, winner);
      return new SearchOutcome(
          rows,
          winner.map(rows::get),
          repeats,
          ParameterImportance.of(
              plan.space(), run.scores(0), rows.stream().map(TrialRow::parameters).toList()),
          winner.map(best -> best(open, rows.get(best))),
          whole);
    } finally {
      pool = null;
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** The trials so far, for who watches; without their page they are searched all the same. */
  private void page(
      SearchFolder open,
      List<TrialRow> rows,
      List<SearchOutcome.Repeat> repeats,
      Optional<Integer> winner) {
    try {
      SearchPage.write(file.plan(), open.path(), rows, repeats, winner);
    } catch (LoraGraphException e) {
      notes.accept("the page of the trials is left out: " + e.getMessage());
    }
  }

  private boolean all(SearchRun run) {
    try {
      return run.run();
    } catch (InterruptedException e) {
      stop();
      interrupted = true;
      return false;
    }
  }

  private RunSettings settings(TrialRow trial) {
    return PooledTrials.settings(file, program, trial.number() - 1, trial.parameters());
  }

  private Path best(SearchFolder open, TrialRow winner) {
    return open.writeBest(
        winner.folder(),
        "The settings of trial %d, the best of %d by %s"
            .formatted(winner.number(), file.plan().begun(), file.plan().objective()));
  }

  /** The winner with the seeds after that of the trials; fewer where they were stopped. */
  private List<SearchOutcome.Repeat> repeats(
      TrialRow winner, RunPlace place, ProcessPool processes) {
    List<RunSettings> runs = new ArrayList<>();
    List<CompletableFuture<RunEnd>> ends = new ArrayList<>();
    for (int i = 1; i <= REPEATS; i++) {
      RunSettings run = settings(winner).withSeed(file.plan().seed() + i);
      String line = "trial %d again, with seed %d".formatted(winner.number(), run.seed());
      runs.add(run);
      ends.add(place.start(processes, run, OptionalLong.empty(), () -> notes.accept(line)));
    }
    List<SearchOutcome.Repeat> repeats = new ArrayList<>();
    for (int i = 0; i < REPEATS; i++) {
      RunEnd end = join(ends.get(i));
      if (end.status() != RunEnd.Status.STOPPED) {
        repeats.add(repeat(runs.get(i).seed(), place.run(runs.get(i)), end));
      }
    }
    return repeats;
  }

  private RunEnd join(CompletableFuture<RunEnd> end) {
    while (true) {
      try {
        return end.get();
      } catch (InterruptedException e) {
        // Asked to stop it ends soon.
        stop();
        interrupted = true;
      } catch (ExecutionException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private SearchOutcome.Repeat repeat(long seed, Path run, RunEnd end) {
    Optional<RunRecord> record =
        end.status() == RunEnd.Status.FINISHED ? RunRecord.read(run) : Optional.empty();
    Map<String, Double> figures = record.map(RunRecord::figures).orElse(Map.of());
    if (!end.message().isEmpty()) {
      notes.accept("%s failed: %s".formatted(run, end.message()));
    }
    return new SearchOutcome.Repeat(
        seed,
        figures.getOrDefault(file.plan().objective(), Double.NaN),
        figures,
        record.map(r -> (long) r.step().orElse(0)).orElse(0L),
        record.map(r -> r.wallSeconds().orElse(0)).orElse(0.0),
        folder.toAbsolutePath().normalize().relativize(run).toString().replace('\\', '/'),
        end.message());
  }

  /** What nothing goes on from any more: it takes three times the trained parameters of a trial. */
  private void removeCheckpoints(List<TrialRow> rows) {
    long bytes = 0;
    int count = 0;
    for (TrialRow row : rows) {
      if (row.status() == TrialRow.Status.PRUNED || row.status() == TrialRow.Status.FAILED) {
        Path checkpoints = folder.resolve(row.folder()).resolve("checkpoints");
        try {
          long size = SearchFolder.size(checkpoints);
          SearchFolder.delete(checkpoints);
          bytes += size;
          count += size > 0 ? 1 : 0;
        } catch (IOException e) {
          notes.accept("cannot remove %s: %s".formatted(checkpoints, AtomicFile.reason(e)));
        }
      }
    }
    if (count > 0) {
      notes.accept(
          "the checkpoints of %d trials that were not trained whole are removed: %,d MB"
              .formatted(count, Math.round(bytes / 1e6)));
    }
  }
}
