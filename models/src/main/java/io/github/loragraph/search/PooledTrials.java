package io.github.loragraph.search;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.ProcessPool;
import io.github.loragraph.experiment.RunEnd;
import io.github.loragraph.experiment.RunPlace;
import io.github.loragraph.experiment.RunProgram;
import io.github.loragraph.experiment.RunSettings;
import io.github.loragraph.experiment.SettingsLayer;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.trainer.RunRecord;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** Trains trials in processes, each in a run folder of its own that it is gone on with in. */
final class PooledTrials implements TrialTrainer {
  /** Settings that the number of steps does not depend on. */
  private static final Set<String> NO_STEPS =
      Set.of(
          "lr",
          "learningrate",
          "schedule",
          "lrscheduler",
          "warmup",
          "warmupsteps",
          "warmupratio",
          "weightdecay",
          "maxgradnorm",
          "labelsmoothing",
          "loradropout",
          "rank",
          "r",
          "alpha",
          "match",
          "targetmodules",
          "seed");

  private final SearchFile file;
  private final RunProgram program;
  private final RunPlace place;
  private final ProcessPool pool;

  /** The steps of whole trainings by the settings that they may depend on, as trials said them. */
  private final Map<Map<String, Object>, Long> totals = new ConcurrentHashMap<>();

  PooledTrials(SearchFile file, RunProgram program, RunPlace place, ProcessPool pool) {
    this.file = file;
    this.program = program;
    this.place = place;
    this.pool = pool;
  }

  /**
   * The run of a trial.
   *
   * @param trial from 0
   * @throws LoraGraphException if it is not possible
   */
  static RunSettings settings(
      SearchFile file, RunProgram program, int trial, Map<String, Object> parameters) {
    String name = file.file().toString();
    RunSettings settings =
        RunSettings.of(
            program,
            name,
            AtomicFile.folderOf(file.file()),
            name(trial),
            file.plan().seed(),
            List.of(
                SettingsLayer.ofModel(program, name, file.model()),
                SettingsLayer.of(program, name, "base", file.base()),
                SettingsLayer.of(program, name, "space", parameters)));
    if (settings.isMeasured()) {
      throw new LoraGraphException(
          "%s: method: a trial of method none trains nothing: leave it out".formatted(name));
    }
    return settings;
  }

  /**
   * The run of a trial that is only tried.
   *
   * @throws LoraGraphException if it is not possible; the message names what there is in the place
   *     of a range of real numbers where only a whole one would be
   */
  static RunSettings tried(SearchFile file, RunProgram program, Map<String, Object> corner) {
    try {
      return settings(file, program, 0, corner);
    } catch (LoraGraphException e) {
      for (Parameter parameter : file.plan().space().parameters()) {
        if (parameter.domain() instanceof RealRange range
            && corner.get(parameter.name()) instanceof Double value
            && !SearchSpace.isWhole(value)
            && isPossible(file, program, corner, parameter.name(), StrictMath.rint(value))) {
          throw new LoraGraphException(
              "%s: space.%s: it takes whole numbers alone, and a trial may get %s: write '%s: [%s, %s]'"
                  .formatted(
                      file.file(),
                      parameter.name(),
                      SettingsLayer.text(value),
                      range.log() ? "log-integer" : "integer",
                      SettingsLayer.text(range.low()),
                      SettingsLayer.text(range.high())),
              e);
        }
      }
      throw e;
    }
  }

  private static boolean isPossible(
      SearchFile file, RunProgram program, Map<String, Object> corner, String name, double value) {
    Map<String, Object> changed = new LinkedHashMap<>(corner);
    changed.put(name, value);
    try {
      settings(file, program, 0, changed);
      return true;
    } catch (LoraGraphException e) {
      return false;
    }
  }

  private static String name(int trial) {
    return "trial-%02d".formatted(trial + 1);
  }

  @Override
  public String folder(int trial) {
    return "runs/%s-seed%d".formatted(name(trial), file.plan().seed());
  }

  @Override
  public CompletableFuture<TrialFigure> train(TrialPart part, Runnable begun) {
    RunSettings settings;
    try {
      settings = settings(file, program, part.trial(), part.parameters());
    } catch (LoraGraphException e) {
      return CompletableFuture.completedFuture(TrialFigure.failed(e.getMessage()));
    }
    begun.run();
    Path run = place.run(settings);
    return upTo(part, settings, run)
        .exceptionally(e -> failed(run, String.valueOf(e.getMessage())));
  }

  /**
   * How many steps a whole training has is known once it has begun: where no trial of that many has
   * said it, one step is made first. It is a part of the training, and not made again.
   */
  private CompletableFuture<TrialFigure> upTo(TrialPart part, RunSettings settings, Path run) {
    SuccessiveHalving rungs = file.plan().pruning();
    if (part.rung() == rungs.top()) {
      return trained(settings, run, OptionalLong.empty());
    }
    OptionalLong total = total(part.parameters(), run);
    if (total.isPresent()) {
      return trained(settings, run, OptionalLong.of(rungs.step(part.rung(), total.getAsLong())));
    }
    return place
        .start(pool, settings, OptionalLong.of(1), () -> {})
        .thenCompose(
            end -> {
              OptionalLong known = total(part.parameters(), run);
              return end.status() == RunEnd.Status.PAUSED && known.isPresent()
                  ? trained(
                      settings, run, OptionalLong.of(rungs.step(part.rung(), known.getAsLong())))
                  : CompletableFuture.completedFuture(figure(run, end));
            });
  }

  private OptionalLong total(Map<String, Object> parameters, Path run) {
    Map<String, Object> deciding = new LinkedHashMap<>(parameters);
    deciding.keySet().removeIf(name -> NO_STEPS.contains(SearchFile.plain(name)));
    Long known = totals.get(deciding);
    if (known != null) {
      return OptionalLong.of(known);
    }
    long said =
        RunRecord.read(run).map(record -> record.tree().path("totalSteps").asLong()).orElse(0L);
    if (said > 0) {
      totals.put(deciding, said);
    }
    return said > 0 ? OptionalLong.of(said) : OptionalLong.empty();
  }

  private CompletableFuture<TrialFigure> trained(
      RunSettings settings, Path run, OptionalLong step) {
    return place.start(pool, settings, step, () -> {}).thenApply(end -> figure(run, end));
  }

  private TrialFigure figure(Path run, RunEnd end) {
    return switch (end.status()) {
      case FINISHED, PAUSED -> measured(run);
      case STOPPED -> TrialFigure.stopped();
      case UNPREPARED -> TrialFigure.unprepared(end.message());
      case FAILED -> failed(run, end.message());
    };
  }

  private TrialFigure measured(Path run) {
    Optional<RunRecord> record = RunRecord.read(run);
    Map<String, Double> figures = record.map(RunRecord::figures).orElse(Map.of());
    Double objective = figures.get(file.plan().objective());
    if (objective == null) {
      return failed(
          run,
          "the evaluation has no %s: %s"
              .formatted(file.plan().objective(), String.join(", ", figures.keySet())));
    }
    return new TrialFigure(
        TrialFigure.Status.MEASURED,
        objective,
        step(record),
        record.map(r -> r.tree().path("totalSteps").asLong()).orElse(0L),
        seconds(record),
        "");
  }

  private static TrialFigure failed(Path run, String message) {
    Optional<RunRecord> record = RunRecord.read(run);
    return new TrialFigure(
        TrialFigure.Status.FAILED, Double.NaN, step(record), 0, seconds(record), message);
  }

  private static long step(Optional<RunRecord> record) {
    return (long) record.map(r -> r.step().orElse(0)).orElse(0.0).doubleValue();
  }

  private static double seconds(Optional<RunRecord> record) {
    return record.map(r -> r.wallSeconds().orElse(0)).orElse(0.0);
  }
}
