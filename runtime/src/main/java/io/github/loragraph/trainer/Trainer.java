package io.github.loragraph.trainer;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.data.Batch;
import io.github.loragraph.data.BatchSource;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.StepResult;
import io.github.loragraph.evaluation.Report;
import java.util.Iterator;
import java.util.List;
import java.util.function.Supplier;

/** The training loop: batches go to the engine, figures to the listeners. */
public final class Trainer {
  private final Engine engine;
  private final BatchSource batches;
  private final TrainerSettings settings;
  private final Supplier<Report> evaluation;
  private final List<TrainingListener> listeners;

  /**
   * @param evaluation measures the engine's current parameters; null where there is no data for it
   */
  public Trainer(
      Engine engine,
      BatchSource batches,
      TrainerSettings settings,
      Supplier<Report> evaluation,
      List<TrainingListener> listeners) {
    this.engine = engine;
    this.batches = batches;
    this.settings = settings;
    this.evaluation = evaluation;
    this.listeners = List.copyOf(listeners);
  }

  /**
   * What came out.
   *
   * @param finalTrainLoss the loss in the last log line's span, or of the last step without logs
   * @param samplesPerSecond over all steps, evaluations not counted
   * @param evaluation at the end; null where there is no data for it
   */
  public record Summary(
      long steps, double finalTrainLoss, double samplesPerSecond, Report evaluation) {}

  /**
   * Trains to the end.
   *
   * @throws LoraGraphException if the loss stops being a number; it names the step
   */
  public Summary run() {
    long totalSteps = settings.totalSteps(batches.batchesPerEpoch());
    LearningRateSchedule schedule = settings.schedule(totalSteps);
    listeners.forEach(l -> l.started(totalSteps));
    Stopwatch whole = new Stopwatch();
    Stopwatch span = new Stopwatch();
    double finalLoss = Double.NaN;
    long epoch = 0;
    Iterator<Batch> epochBatches = batches.epoch(epoch);
    Report report = null;
    for (long step = 1; step <= totalSteps; step++) {
      if (!epochBatches.hasNext()) {
        epochBatches = batches.epoch(++epoch);
      }
      Batch batch = epochBatches.next();
      double rate = schedule.at(step);
      long start = System.nanoTime();
      StepResult result = engine.step(batch.withLabels(), rate);
      long nanos = System.nanoTime() - start;
      refuseNotANumber(step, rate, result);
      whole.add(batch.examples(), nanos, result.loss());
      span.add(batch.examples(), nanos, result.loss());

      double epochs = (double) step / batches.batchesPerEpoch();
      TrainingListener.StepRecord record =
          new TrainingListener.StepRecord(
              step, epochs, result.loss(), rate, result.gradientNorm(), whole.rate());
      listeners.forEach(l -> l.step(record));
      finalLoss = result.loss();
      if (settings.logEvery() > 0 && (step % settings.logEvery() == 0 || step == totalSteps)) {
        finalLoss = span.meanLoss();
        TrainingListener.StepRecord logged =
            new TrainingListener.StepRecord(
                step, epochs, finalLoss, rate, result.gradientNorm(), span.rate());
        listeners.forEach(l -> l.log(logged));
        span = new Stopwatch();
      }
      boolean last = step == totalSteps;
      boolean due = settings.evalEvery() > 0 && step % settings.evalEvery() == 0;
      if (evaluation != null && (last || due)) {
        report = evaluation.get();
        long at = step;
        Report current = report;
        listeners.forEach(l -> l.evaluated(at, current));
      }
    }
    return new Summary(totalSteps, finalLoss, whole.rate(), report);
  }

  private static void refuseNotANumber(long step, double rate, StepResult result) {
    if (!Double.isFinite(result.loss())) {
      throw new LoraGraphException(
          "the loss is %s at step %d: train again with a learning rate below %s, or with --max-grad-norm 1"
              .formatted(result.loss(), step, rate));
    }
  }

  /** Adds up steps. */
  private static final class Stopwatch {
    private long examples;
    private long nanos;
    private double losses;
    private long steps;

    void add(int examples, long nanos, double loss) {
      this.examples += examples;
      this.nanos += nanos;
      this.losses += loss;
      this.steps++;
    }

    double rate() {
      return examples / (nanos / 1e9);
    }

    double meanLoss() {
      return losses / steps;
    }
  }
}
