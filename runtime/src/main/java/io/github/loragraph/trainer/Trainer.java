package io.github.loragraph.trainer;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.data.Batch;
import io.github.loragraph.data.BatchSource;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.StepInput;
import io.github.loragraph.engine.StepResult;
import io.github.loragraph.evaluation.Report;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Supplier;

/** The training loop: batches go to the engine, figures to the listeners. */
public final class Trainer {
  /** The property of a checkpoint that names the engine. */
  static final String ENGINE = "engine";

  /** So far down it takes 40 steps in a row without a finite gradient. */
  private static final double SMALLEST_LOSS_SCALE = 0x1p-24;

  private final Engine engine;
  private final BatchSource batches;
  private final TrainerSettings settings;
  private final Supplier<Report> evaluation;
  private final List<TrainingListener> listeners;
  private final Checkpoint start;

  /**
   * @param evaluation measures the engine's current parameters; null where there is no data for it
   * @param start the checkpoint that the engine goes on from; null where it begins
   */
  public Trainer(
      Engine engine,
      BatchSource batches,
      TrainerSettings settings,
      Supplier<Report> evaluation,
      List<TrainingListener> listeners,
      Checkpoint start) {
    this.start = start;
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
   * @throws TrainingStopped if a listener wants it
   */
  public Summary run() {
    long totalSteps = settings.totalSteps(batches.batchesPerEpoch());
    LearningRateSchedule schedule = settings.schedule(totalSteps);
    listeners.forEach(l -> l.started(totalSteps));
    Stopwatch whole = new Stopwatch();
    Stopwatch span = start == null ? new Stopwatch() : Stopwatch.of(start);
    double finalLoss = span.isEmpty() ? Double.NaN : span.meanLoss();
    BatchCursor cursor = new BatchCursor(batches, engine.steps() * settings.accumulation());
    Report report = null;
    for (long done = engine.steps(); done < totalSteps; ) {
      List<StepOutcome> outcomes = call(cursor, done, totalSteps, schedule);
      for (StepOutcome outcome : outcomes) {
        long step = ++done;
        whole.add(outcome);
        span.add(outcome);

        double epochs = (double) step * settings.accumulation() / batches.batchesPerEpoch();
        TrainingListener.StepRecord record =
            recordOf(
                step, epochs, outcome.loss(), outcome.rate(), outcome.gradientNorm(), whole.rate());
        listeners.forEach(l -> l.step(record));
        finalLoss = outcome.loss();
        if (settings.logEvery() > 0 && (step % settings.logEvery() == 0 || step == totalSteps)) {
          finalLoss = span.meanLoss();
          TrainingListener.StepRecord logged =
              recordOf(
                  step, epochs, finalLoss, outcome.rate(), outcome.gradientNorm(), span.rate());
          listeners.forEach(l -> l.log(logged));
          span = new Stopwatch();
        }
      }
      long step = done;
      boolean last = step == totalSteps;
      if (evaluation != null && (last || isDue(step, settings.evalEvery()))) {
        report = evaluation.get();
        Report current = report;
        listeners.forEach(l -> l.evaluated(step, current));
      }
      boolean stops = !last && listeners.stream().anyMatch(TrainingListener::wantsToStop);
      if (stops || (!last && isDue(step, settings.checkpointEvery()))) {
        Checkpoint state = span.putInto(engine.checkpoint()).with(ENGINE, engine.name());
        listeners.forEach(l -> l.checkpoint(step, state));
      }
      if (stops) {
        throw new TrainingStopped(step);
      }
    }
    return new Summary(totalSteps, finalLoss, whole.rate(), report);
  }

  private TrainingListener.StepRecord recordOf(
      long step, double epochs, double loss, double rate, double norm, double samplesPerSecond) {
    return new TrainingListener.StepRecord(
        step,
        epochs,
        loss,
        rate,
        norm,
        engine.skippedSteps(),
        engine.lossScale(),
        samplesPerSecond);
  }

  private static boolean isDue(long step, long every) {
    return every > 0 && step % every == 0;
  }

  /**
   * As many steps as the engine takes at once, up to the next one after which parameters are asked
   * for. The loss of a step is the mean over its batches.
   */
  private List<StepOutcome> call(
      BatchCursor cursor, long done, long totalSteps, LearningRateSchedule schedule) {
    int accumulation = settings.accumulation();
    long count = Math.max(1, engine.batchesPerCall() / accumulation);
    count = Math.min(count, totalSteps - done);
    count = Math.min(count, untilDue(done, settings.evalEvery()));
    count = Math.min(count, untilDue(done, settings.checkpointEvery()));
    long begin = System.nanoTime();
    List<StepResult> results = new ArrayList<>();
    List<Integer> examples = new ArrayList<>();
    long all = count * accumulation;
    while (results.size() < all) {
      long most = Math.min(engine.batchesPerCall(), all - results.size());
      results.addAll(call(cursor, done, most, schedule, examples));
    }
    long nanos = System.nanoTime() - begin;
    List<StepOutcome> outcomes = new ArrayList<>();
    for (int i = 0; i < results.size(); i += accumulation) {
      double rate = schedule.at(done + outcomes.size() + 1);
      double losses = 0;
      int taught = 0;
      for (int j = i; j < i + accumulation; j++) {
        refuseNotANumber(done + outcomes.size() + 1, rate, results.get(j));
        losses += results.get(j).loss();
        taught += examples.get(j);
      }
      double norm = results.get(i + accumulation - 1).gradientNorm();
      outcomes.add(new StepOutcome(losses / accumulation, norm, rate, taught, nanos / count));
    }
    refuseVanishedScale(done + count);
    return outcomes;
  }

  /**
   * One call of the engine. The batches of a call are open together, until it is over.
   *
   * @param examples has the size of each earlier batch since step {@code done}; those of this call
   *     are added
   */
  private List<StepResult> call(
      BatchCursor cursor,
      long done,
      long count,
      LearningRateSchedule schedule,
      List<Integer> examples) {
    List<Batch> open = new ArrayList<>();
    try {
      List<StepInput> inputs = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        Batch batch = cursor.next();
        open.add(batch);
        examples.add(batch.examples());
        long step = done + (examples.size() - 1) / settings.accumulation() + 1;
        boolean last = examples.size() % settings.accumulation() == 0;
        inputs.add(new StepInput(batch.withLabels(), schedule.at(step), last));
      }
      return engine.steps(inputs);
    } finally {
      open.forEach(Batch::close);
    }
  }

  private static long untilDue(long done, long every) {
    return every > 0 ? every - done % every : Long.MAX_VALUE;
  }

  private record StepOutcome(
      double loss, double gradientNorm, double rate, int examples, long nanos) {}

  /** Walks over the batches of all epochs. */
  private static final class BatchCursor {
    private final BatchSource batches;
    private long epoch;
    private Iterator<Batch> rest;

    BatchCursor(BatchSource batches, long passed) {
      this.batches = batches;
      this.epoch = passed / batches.batchesPerEpoch();
      this.rest = batches.epoch(epoch, passed % batches.batchesPerEpoch());
    }

    Batch next() {
      if (!rest.hasNext()) {
        rest = batches.epoch(++epoch);
      }
      return rest.next();
    }
  }

  /** No scale helps where the gradients are not finite for another reason than its size. */
  private void refuseVanishedScale(long step) {
    if (engine.lossScale() < SMALLEST_LOSS_SCALE) {
      throw new LoraGraphException(
          "no gradient was finite for many steps up to step %d: train again with --precision bf16 or fp32"
              .formatted(step));
    }
  }

  private void refuseNotANumber(long step, double rate, StepResult result) {
    if (!Double.isFinite(result.loss()) && !Double.isNaN(engine.lossScale())) {
      throw new LoraGraphException(
          "the loss is %s at step %d: train again with --precision bf16 or fp32, or with a lower --lr than %.1e"
              .formatted(result.loss(), step, settings.learningRate()));
    }
    if (!Double.isFinite(result.loss())) {
      throw new LoraGraphException(
          "the loss is %s at step %d, where the learning rate is %.1e: train again with --lr %.0e or lower, or a longer --warmup"
              .formatted(result.loss(), step, rate, settings.learningRate() / 10));
    }
  }

  /** Adds up steps. */
  private static final class Stopwatch {
    private long examples;
    private long nanos;
    private double losses;
    private long steps;

    private static final String EXAMPLES = "log.examples";
    private static final String NANOS = "log.nanos";
    private static final String LOSSES = "log.losses";
    private static final String STEPS = "log.steps";

    /** What was added up when a checkpoint was made. */
    static Stopwatch of(Checkpoint checkpoint) {
      Stopwatch stopwatch = new Stopwatch();
      if (checkpoint.properties().get(LOSSES) instanceof String losses) {
        stopwatch.losses = Double.parseDouble(losses);
        stopwatch.examples = (Long) checkpoint.properties().get(EXAMPLES);
        stopwatch.nanos = (Long) checkpoint.properties().get(NANOS);
        stopwatch.steps = (Long) checkpoint.properties().get(STEPS);
      }
      return stopwatch;
    }

    /** The loss as text: the file's numbers are of single precision. */
    Checkpoint putInto(Checkpoint checkpoint) {
      return checkpoint
          .with(EXAMPLES, examples)
          .with(NANOS, nanos)
          .with(LOSSES, Double.toString(losses))
          .with(STEPS, steps);
    }

    boolean isEmpty() {
      return steps == 0;
    }

    void add(StepOutcome outcome) {
      examples += outcome.examples();
      nanos += outcome.nanos();
      losses += outcome.loss();
      steps++;
    }

    double rate() {
      return examples / (nanos / 1e9);
    }

    double meanLoss() {
      return losses / steps;
    }
  }
}
