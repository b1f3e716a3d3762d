package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.task.Report;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the record of a run ({@link RunRecord}) while it goes on: written when it begins, at each
 * evaluation and checkpoint, and when it ends. A step costs it a few additions. What earlier parts
 * of a run that is gone on with have worked counts, too.
 */
public final class RunRecorder implements TrainingListener {
  private static final int LONGEST_FAILURE = 300;

  private final Path folder;
  private final Map<String, Object> facts;
  private final Function<Report, Map<String, Object>> described;
  private final long begin;
  private final String startedAt;
  private final int parts;
  private final double secondsBefore;
  private final double trainedBefore;
  private final double peakBefore;
  private long examples;
  private long nanos;
  private long step;
  private long totalSteps;
  private long evaluatedStep;

  /** Null until something was measured. */
  private @Nullable Report report;

  /** The last evaluation of an earlier part; empty where this one has its own, or none. */
  private Map<String, Object> evaluationBefore = Map.of();

  /** How far the run got through its data; null until it is over. */
  private ContinuedRun.@Nullable Passed passed;

  /** Of a run that continues another: what that one says; null of a run that continues none. */
  private @Nullable Map<String, Object> continues;

  private boolean keptBase;

  /** The best evaluation of several; null before it, and where they are not compared. */
  private @Nullable Object best;

  /**
   * @param folder of the run; a record that is there is of the parts before
   * @param facts what is known when the run begins, by name: machine, parameters, data; what may be
   *     known later is a {@link Supplier}, and asked each time
   * @param described what there is of an evaluation beside its figures, by name
   * @param begin {@link System#nanoTime} when this part began
   * @param notes takes a line where the record of the parts before cannot be read
   */
  public RunRecorder(
      Path folder,
      Map<String, ?> facts,
      Function<Report, Map<String, Object>> described,
      long begin,
      Consumer<String> notes) {
    this.folder = folder;
    this.facts = new LinkedHashMap<>(facts);
    this.described = described;
    this.begin = begin;
    Optional<RunRecord> before = before(folder, notes);

    this.startedAt =
        before
            .map(record -> record.tree().path(RunRecord.STARTED).textValue())
            .orElseGet(
                () ->
                    Instant.now()
                        .minusNanos(System.nanoTime() - begin)
                        .truncatedTo(ChronoUnit.SECONDS)
                        .toString());
    this.parts = before.map(record -> record.tree().path("parts").asInt()).orElse(0) + 1;
    this.secondsBefore = before.map(r -> r.wallSeconds().orElse(0)).orElse(0.0);
    this.examples = before.map(r -> r.tree().path(RunRecord.EXAMPLES).asLong()).orElse(0L);
    this.trainedBefore =
        before.map(r -> r.tree().path(RunRecord.TRAINED_SECONDS).asDouble()).orElse(0.0);
    this.peakBefore = before.map(r -> r.peakMegabytes().orElse(0)).orElse(0.0);
    this.step = before.map(r -> r.tree().path(RunRecord.STEP).asLong()).orElse(0L);
    this.totalSteps = before.map(r -> r.tree().path(RunRecord.STEPS).asLong()).orElse(0L);
    before.ifPresent(
        record -> {
          evaluationBefore = record.ofEvaluation();
          continues = record.continues();
          best = record.tree().has(RunRecord.BEST) ? record.tree().get(RunRecord.BEST) : null;
        });
  }

  private static Optional<RunRecord> before(Path folder, Consumer<String> notes) {
    try {
      return RunRecord.read(folder);
    } catch (LoraGraphException e) {
      notes.accept(e.getMessage() + "; it is written anew, with what is still to come");
      return Optional.empty();
    }
  }

  /** Adds to what is known when the run begins, before the first step. */
  public void put(String name, Object value) {
    facts.put(name, value);
  }

  /**
   * Says, before the first step, that the run continues another one that is over.
   *
   * @param former its folder
   * @param sameHeldOut whether it was measured on the examples that this one is measured on: its
   *     figures are kept to stand beside the new ones
   * @throws LoraGraphException if its record cannot be read
   */
  public void continues(Path former, boolean sameHeldOut) {
    Map<String, Object> before = new LinkedHashMap<>();
    RunRecord.read(former)
        .ifPresent(
            record -> {
              record
                  .wallSecondsOfAll()
                  .ifPresent(seconds -> before.put(RunRecord.SECONDS, rounded(seconds)));
              if (sameHeldOut && record.tree().has(RunRecord.FINAL)) {
                before.put(RunRecord.FINAL, record.tree().get(RunRecord.FINAL));
              }
            });
    continues = before;
  }

  /** Writes the record of a run that begins, or goes on. */
  public void begin() {
    write(record(RunRecord.Status.RUNNING, null));
  }

  @Override
  public void computes(MicroBatch microBatch) {
    put(RunRecord.MICRO_BATCH, microBatch.toString());
  }

  @Override
  public void recomputes(int pieces) {
    put(RunRecord.RECOMPUTED, pieces);
  }

  @Override
  public void started(long steps) {
    totalSteps = steps;
  }

  @Override
  public void worked(int stepExamples, long stepNanos) {
    examples += stepExamples;
    nanos += stepNanos;
  }

  @Override
  public void step(StepRecord record) {
    step = record.step();
    if (continues != null) {
      continues.putIfAbsent(RunRecord.AFTER_STEP, step - 1);
    }
  }

  @Override
  public void evaluated(long at, Report measured) {
    report = measured;
    evaluatedStep = at;
    evaluationBefore = Map.of();
    write(record(RunRecord.Status.RUNNING, null));
  }

  @Override
  public void checkpoint(long at, Checkpoint state) {
    write(record(RunRecord.Status.RUNNING, null));
  }

  @Override
  public void best(long at, String metric, double value) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("step", at);
    entry.put("metric", metric);
    entry.put("value", value);
    best = entry;
  }

  /** The run ends: its evaluation is that of the parameters that it ends with. */
  public void ends(Trainer.Summary summary) {
    passed = summary.passed();
    BestEvaluation chosen = summary.best();
    Report measured = summary.evaluation();
    if (measured != null) {
      report = measured;
    }
    if (chosen != null && measured != null) {
      evaluatedStep = chosen.step();
      best(chosen.step(), chosen.metric(), chosen.value());
    }
  }

  /**
   * The run ends with the model as it was before the training.
   *
   * @param base its evaluation
   */
  public void keepsBase(Report base) {
    keptBase = true;
    report = base;
    evaluatedStep = 0;
    best = null;
  }

  /**
   * Whether what is in the folder is this run: one that failed before its first checkpoint has left
   * nothing, and what it had replaced is there again.
   */
  public boolean isInFolder() {
    return before(folder, line -> {})
        .filter(record -> startedAt.equals(record.tree().path(RunRecord.STARTED).textValue()))
        .isPresent();
  }

  /** Writes what came to be known of the data when the run had left all else. */
  public void amend() {
    write(finished());
  }

  /** The record of a run all of whose work is done, to be written with what it leaves. */
  public RunRecord finished() {
    return record(RunRecord.Status.FINISHED, null);
  }

  /**
   * Writes that the run ended before its end.
   *
   * @param failure why; null where it was stopped by who started it
   */
  public void ended(@Nullable Throwable failure) {
    try {
      write(
          record(
              failure == null ? RunRecord.Status.STOPPED : RunRecord.Status.FAILED,
              failure == null ? null : text(failure)));
    } catch (LoraGraphException e) {
      if (failure == null) {
        throw e;
      }
      // The first failure is the one to report.
      failure.addSuppressed(e);
    }
  }

  private static String text(Throwable failure) {
    String message = failure.getMessage();
    return PlainText.shortened(
        message == null ? failure.getClass().getSimpleName() : message, LONGEST_FAILURE);
  }

  /** A folder that was taken away, since nothing in it was worth keeping, does not come back. */
  private void write(RunRecord record) {
    if (!Files.exists(folder.resolve(RunFolder.CONFIG))) {
      return;
    }
    AtomicFile.write(folder.resolve(RunRecord.FILE), true, out -> out.write(record.bytes()));
  }

  private RunRecord record(RunRecord.Status status, @Nullable String failure) {
    Map<String, @Nullable Object> entries = new LinkedHashMap<>();
    entries.put(RunRecord.STATUS, status.toString());
    if (failure != null) {
      entries.put("failure", failure);
    }
    entries.put(RunRecord.STARTED, startedAt);
    entries.put(RunRecord.SECONDS, rounded(secondsBefore + (System.nanoTime() - begin) / 1e9));
    entries.put("parts", parts);
    entries.put(RunRecord.STEP, step);
    entries.put(RunRecord.STEPS, totalSteps);
    if (passed != null) {
      RunRecord.put(passed, entries);
    }
    if (continues != null) {
      entries.put(RunRecord.CONTINUES, continues);
    }
    double trained = trainedBefore + nanos / 1e9;
    entries.put(RunRecord.EXAMPLES, examples);
    entries.put(RunRecord.TRAINED_SECONDS, rounded(trained));
    if (trained > 0) {
      entries.put(RunRecord.RATE, rounded(examples / trained));
    }
    OptionalDouble peak = ThisProcess.peakMegabytes();
    if (peak.isPresent()) {
      entries.put(RunRecord.PEAK, rounded(Math.max(peakBefore, peak.getAsDouble())));
    }
    Report measured = report;
    if (keptBase) {
      entries.put(RunRecord.KEPT_BASE, true);
    }
    if (measured != null) {
      entries.put(RunRecord.EVALUATED, evaluatedStep);
      entries.put(RunRecord.FINAL, measured.finiteFigures());
      entries.putAll(described.apply(measured));
    } else {
      entries.putAll(evaluationBefore);
    }
    if (best != null) {
      entries.put(RunRecord.BEST, best);
    }
    facts.forEach(
        (name, fact) -> entries.put(name, fact instanceof Supplier<?> later ? later.get() : fact));
    return RunRecord.of(entries);
  }

  /** Thousandths are enough of seconds, megabytes and rates. */
  private static double rounded(double value) {
    return Math.round(value * 1000) / 1000.0;
  }
}
