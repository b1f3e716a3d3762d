package io.github.loragraph.trainer;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.data.BatchSource;
import io.github.loragraph.data.Padding;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.StepResult;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.task.Report;
import io.github.loragraph.training.Loss;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The training loop: batches go to the engine, figures to the listeners.
 *
 * <p>Long because the order of steps, evaluations, checkpoints and stops is the loop, and is read
 * in one piece; where the rows of a step come from, and what is timed, stand apart.
 */
public final class Trainer {
  private final Engine engine;
  private final BatchRunner runner;
  private final BatchSource batches;
  private final Loss loss;
  private final TrainerSettings settings;

  /** Null where there is no data for it. */
  private final @Nullable Supplier<Report> evaluation;

  private final List<TrainingListener> listeners;

  /** Null where the training begins. */
  private final @Nullable Checkpoint start;

  private final long stepsPerEpoch;

  /** Steps whose batches were drawn in the run that is continued. */
  private final long passed;

  private final Divergence divergence;

  /** That of all whole steps, also of those before the start. */
  private Padding padding;

  private boolean saidNothingCounts;
  private final BestParameters bestParameters;

  /** Of the evaluations that the settings ask for. */
  private BestEvaluation best;

  /** That of the best evaluation; null where there was none since the start. */
  private @Nullable Report bestReport;

  /** Null until the last step is made. */
  private @Nullable Map<String, Tensor> trained;

  /** With moments where they are kept; null until the last step is made. */
  private @Nullable Checkpoint state;

  /**
   * A training whose batches are run whole.
   *
   * @param loss says how much each label counts, and so each batch of a step
   * @param evaluation measures the engine's current parameters; null where there is no data for it
   * @param start the checkpoint that the engine goes on from; null where it begins
   */
  public Trainer(
      Engine engine,
      BatchSource batches,
      Loss loss,
      TrainerSettings settings,
      @Nullable Supplier<Report> evaluation,
      List<TrainingListener> listeners,
      @Nullable Checkpoint start) {
    this(
        engine,
        new DirectBatches(engine, batches),
        batches,
        loss,
        settings,
        evaluation,
        listeners,
        start,
        BestParameters.inMemory());
  }

  /** The same with what runs the batches. */
  Trainer(
      Engine engine,
      BatchRunner runner,
      BatchSource batches,
      Loss loss,
      TrainerSettings settings,
      @Nullable Supplier<Report> evaluation,
      List<TrainingListener> listeners,
      @Nullable Checkpoint start,
      BestParameters bestParameters) {
    this.start = start;
    this.bestParameters = bestParameters;
    this.best = BestEvaluation.of(start);
    this.engine = engine;
    this.runner = runner;
    this.batches = batches;
    this.loss = loss;
    this.settings = settings;
    this.stepsPerEpoch = settings.stepsPerEpoch(batches.batchesPerEpoch());
    this.passed = settings.continued().passed(stepsPerEpoch);
    this.divergence = new Divergence(engine, settings.learningRate());
    this.padding = CheckpointMarks.padding(start);
    this.evaluation = evaluation;
    this.listeners = List.copyOf(listeners);
  }

  /**
   * What came out.
   *
   * @param finalTrainLoss the loss in the last log line's span, or of the last step without logs
   * @param samplesPerSecond over all steps, evaluations not counted
   * @param evaluation of the parameters that the run ends with; null where there is no data for it,
   *     or it was made before the run was gone on with
   * @param best the evaluation whose parameters the run ends with; null where several were not
   *     compared
   * @param passed how far through the data the run got
   * @param state what a later run goes on from; null where it is not kept
   */
  public record Summary(
      long steps,
      double finalTrainLoss,
      double samplesPerSecond,
      @Nullable Report evaluation,
      @Nullable BestEvaluation best,
      ContinuedRun.Passed passed,
      @Nullable Checkpoint state) {
    /**
     * The same where what the training made was thrown away.
     *
     * @param before the evaluation of the model as it was
     */
    public Summary thrownAway(Report before) {
      return new Summary(steps, finalTrainLoss, samplesPerSecond, before, null, passed, null);
    }

    /** The same with another evaluation of the parameters that the training ends with. */
    public Summary withEvaluation(Report report) {
      return new Summary(steps, finalTrainLoss, samplesPerSecond, report, best, passed, state);
    }
  }

  /**
   * Trains to the end.
   *
   * @throws LoraGraphException if the loss stops being a number; it names the step
   * @throws TrainingStopped if a listener wants it
   */
  public Summary run() {
    long totalSteps = settings.totalSteps(batches.batchesPerEpoch());
    LearningRateSchedule schedule = settings.schedule(totalSteps);
    Padding earlier = padding;
    listeners.forEach(l -> l.started(totalSteps));
    tellPadding();
    RunningFigures whole = new RunningFigures();
    RunningFigures span = start == null ? new RunningFigures() : RunningFigures.of(start);
    double finalLoss = RunningFigures.lastLoss(start);
    StepCursor cursor = new StepCursor(batches, loss, settings, drawn(engine.steps()));
    settings
        .remarks(batches.batchesPerEpoch())
        .forEach(remark -> listeners.forEach(l -> l.note(remark)));
    @Nullable Report report = null;
    long evalEvery = settings.evalEvery(batches.batchesPerEpoch());
    boolean compares =
        evaluation != null && evalEvery > 0 && evalEvery < totalSteps - settings.continued().step();
    boolean over = CheckpointMarks.isFinished(start);
    if (over && CheckpointMarks.hasMoments(Objects.requireNonNull(start))) {
      state = start;
    }
    long begin = over ? Objects.requireNonNull(start).step() : engine.steps();
    boolean stops = settings.stopAfter() > 0 && settings.stopAfter() < totalSteps;
    if (stops && begin > settings.stopAfter()) {
      throw new LoraGraphException(
          "the run has made %,d steps already, and is to be stopped after step %,d: give a later one"
              .formatted(begin, settings.stopAfter()));
    }
    if (CheckpointMarks.evaluates(start)) {
      report = evaluate(begin);
      if (compares && (over || isDue(drawn(begin), evalEvery))) {
        BestEvaluation before = best;
        offer(begin, report, over);
        if (!over && isPatienceOver()) {
          end(begin, before, totalSteps, span, finalLoss);
          over = true;
        }
      }
    }
    if (stops && !over && begin == settings.stopAfter()) {
      stop(begin, span, finalLoss);
    }
    long done = begin;
    while (done < totalSteps && !over) {
      List<StepOutcome> outcomes;
      try {
        outcomes = call(cursor, done, totalSteps, schedule, evalEvery);
      } catch (StepAbandoned e) {
        checkpoint(done, false, false, span, finalLoss);
        throw new TrainingStopped(done);
      }
      padding = earlier.plus(batches.padding());
      tellPadding();
      for (StepOutcome outcome : outcomes) {
        long step = ++done;
        whole.add(outcome.loss(), outcome.examples(), outcome.nanos());
        span.add(outcome.loss(), outcome.examples(), outcome.nanos());
        listeners.forEach(l -> l.worked(outcome.examples(), outcome.nanos()));

        TrainingListener.StepRecord record =
            recordOf(
                step,
                outcome.epochs(),
                outcome.loss(),
                outcome.rate(),
                outcome.gradientNorm(),
                whole.rate());
        listeners.forEach(l -> l.step(record));
        finalLoss = outcome.loss();
        if (settings.logEvery() > 0 && (step % settings.logEvery() == 0 || step == totalSteps)) {
          finalLoss = span.meanLoss();
          TrainingListener.StepRecord logged =
              recordOf(
                  step,
                  outcome.epochs(),
                  finalLoss,
                  outcome.rate(),
                  outcome.gradientNorm(),
                  span.rate());
          listeners.forEach(l -> l.log(logged));
          span = new RunningFigures();
        }
      }
      long step = done;
      boolean last = step == totalSteps;
      boolean ends = !last && step == settings.stopAfter();
      boolean evaluates = evaluation != null && (last || ends || isDue(drawn(step), evalEvery));
      // Before an evaluation, which may take long, and before the trained model is written.
      boolean kept = last || ends || wantsToStop() || isDue(step, settings.checkpointEvery());
      if (kept) {
        checkpoint(step, last, evaluates, span, finalLoss);
      }
      // Who asks only now, and nothing was kept, is heard at the next call or in the evaluation.
      if (kept && wantsToStop()) {
        throw new TrainingStopped(step);
      }
      if (evaluates) {
        try {
          report = evaluate(step);
        } catch (TrainingStopped e) {
          if (!kept) {
            checkpoint(step, last, true, span, finalLoss);
          }
          throw e;
        }
        if (compares && (last || isDue(drawn(step), evalEvery))) {
          BestEvaluation before = best;
          offer(step, report, last);
          if (!last && isPatienceOver()) {
            end(step, before, totalSteps, span, finalLoss);
            over = true;
          }
        }
      }
      if (ends && !over) {
        stop(step, span, finalLoss);
      }
    }
    boolean chooses = compares && settings.keepsBest();
    if (chooses && best.isDefined() && best.step() < done) {
      state = bestParameters.of(best.step());
      trained = byName(state);
      report = bestReport;
    }
    if (chooses) {
      String remark = chosen(done);
      listeners.forEach(l -> l.note(remark));
    }
    padding
        .share()
        .ifPresent(
            share -> {
              String line =
                  String.format(
                      Locale.ROOT, "padding: %.1f%% of the tokens in the batches", 100 * share);
              listeners.forEach(l -> l.note(line));
            });
    return new Summary(
        done,
        finalLoss,
        whole.rate(),
        report,
        chooses && best.isDefined() ? best : null,
        new ContinuedRun.Passed(drawn(done), stepsPerEpoch),
        settings.keepsState() && state != null ? CheckpointMarks.stateAlone(state) : null);
  }

  private void tellPadding() {
    padding.share().ifPresent(share -> listeners.forEach(l -> l.padded(share)));
  }

  private String chosen(long end) {
    if (!best.isDefined()) {
      return "%s was defined in none of %,d evaluations: the parameters after the last step, %,d, are taken"
          .formatted(best.metric(), best.evaluations(), end);
    }
    String figure =
        String.format(
            Locale.ROOT,
            "step %,d is the best of %,d evaluations, %s %.4f",
            best.step(),
            best.evaluations(),
            best.metric(),
            best.value());
    return best.step() == end
        ? figure + ", and the last"
        : String.format(
            Locale.ROOT,
            "%s (after the last step, %,d, %s): its parameters are taken",
            figure,
            end,
            Double.isNaN(best.last())
                ? "not defined"
                : String.format(Locale.ROOT, "%.4f", best.last()));
  }

  /** Compares an evaluation with the best one, and keeps the parameters where it is better. */
  private void offer(long step, Report report, boolean last) {
    best = best.after(step, report, settings.metric());
    if (best.step() != step) {
      return;
    }
    bestReport = report;
    if (settings.keepsBest() && !last) {
      bestParameters.keep(
          step,
          settings.keepsState()
              ? engine.checkpoint()
              : CheckpointMarks.finished(step, List.copyOf(engine.parameters().values())));
    }
    if (settings.keepsBest()) {
      BestEvaluation now = best;
      listeners.forEach(l -> l.best(step, now.metric(), now.value()));
    }
  }

  private boolean isPatienceOver() {
    return settings.patience() > 0 && best.since() >= settings.patience();
  }

  /**
   * Ends a run whose evaluations became no better any more. Its last checkpoint is from before the
   * evaluation, as always.
   */
  private void end(
      long step, BestEvaluation before, long totalSteps, RunningFigures span, double finalLoss) {
    BestEvaluation after = best;
    String remark =
        String.format(
            Locale.ROOT,
            "%,d evaluations in a row were not better%s: the run ends after step %,d of %,d",
            after.since(),
            after.isDefined()
                ? String.format(
                    Locale.ROOT,
                    " than that of step %,d (%s %.4f)",
                    after.step(),
                    after.metric(),
                    after.value())
                : " (%s is not defined)".formatted(after.metric()),
            step,
            totalSteps);
    listeners.forEach(l -> l.note(remark));
    best = before;
    checkpoint(step, true, true, span, finalLoss);
    best = after;
  }

  /**
   * Ends where the settings say. The evaluation of the step was made, and is not made again.
   *
   * @throws TrainingStopped always
   */
  private void stop(long step, RunningFigures span, double finalLoss) {
    checkpoint(step, false, false, span, finalLoss);
    throw TrainingStopped.asPlanned(step);
  }

  /**
   * @throws TrainingStopped if a listener wants it meanwhile
   */
  private Report evaluate(long step) {
    try {
      Report report = Objects.requireNonNull(evaluation).get();
      listeners.forEach(l -> l.evaluated(step, report));
      return report;
    } catch (StepAbandoned e) {
      throw new TrainingStopped(step);
    }
  }

  /** At the end a checkpoint that cannot be written is not yet the end of the run. */
  private void checkpoint(
      long step, boolean last, boolean evaluationDue, RunningFigures span, double finalLoss) {
    Checkpoint state =
        span.putInto(last ? finished(step) : engine.checkpoint())
            .with(RunningFigures.LAST_LOSS, Double.toString(finalLoss))
            .with(CheckpointMarks.ENGINE, engine.name())
            .with(CheckpointMarks.MICRO_BATCH, settings.microBatch().toString());
    state = CheckpointMarks.within(state, settings.memory());
    state = CheckpointMarks.padded(best.putInto(state, settings.keepsBest()), padding);
    Checkpoint whole = evaluationDue ? CheckpointMarks.evaluationDue(state) : state;
    divergence.refuse(step, whole);
    try {
      listeners.forEach(l -> l.checkpoint(step, whole));
    } catch (LoraGraphException | OutOfMemoryError e) {
      if (!last || wantsToStop()) {
        throw e;
      }
      listeners.forEach(
          l -> l.note("no checkpoint before the trained model is written: " + e.getMessage()));
    }
  }

  /** Moments are twice as large as the parameters: they are left out unless they are kept. */
  private Checkpoint finished(long step) {
    if (settings.keepsState()) {
      state = engine.checkpoint();
      trained = byName(state);
      return CheckpointMarks.finished(state);
    }
    trained = engine.parameters();
    return CheckpointMarks.finished(step, List.copyOf(trained.values()));
  }

  private static Map<String, Tensor> byName(Checkpoint state) {
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    state.trainable().forEach(tensor -> parameters.put(tensor.name(), tensor));
    return parameters;
  }

  /** The trained parameters by name, copied once, after {@link #run}. */
  Map<String, Tensor> parameters() {
    return trained == null ? engine.parameters() : trained;
  }

  private boolean wantsToStop() {
    return listeners.stream().anyMatch(TrainingListener::wantsToStop);
  }

  /** Leaves what is at work where it is to be stopped, be it in the midst of a step. */
  static void abandonIfStopped(List<TrainingListener> listeners) {
    if (listeners.stream().anyMatch(TrainingListener::wantsToStop)) {
      throw new StepAbandoned();
    }
  }

  /** The parameters are those of the last whole step. */
  private static final class StepAbandoned extends RuntimeException {
    private static final long serialVersionUID = 1;
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

  /** Steps whose batches were drawn when one was made: those of a run that is continued, too. */
  private long drawn(long step) {
    return step - settings.continued().step() + passed;
  }

  private static boolean isDue(long step, long every) {
    return every > 0 && step % every == 0;
  }

  /**
   * As many steps as the engine takes at once, up to the next one after which parameters are asked
   * for.
   */
  private List<StepOutcome> call(
      StepCursor cursor,
      long done,
      long totalSteps,
      LearningRateSchedule schedule,
      long evalEvery) {
    long count = Math.min(runner.batchesPerCall(), totalSteps - done);
    count = Math.min(count, untilDue(drawn(done), evalEvery));
    count = Math.min(count, untilDue(done, settings.checkpointEvery()));
    if (settings.stopAfter() > done) {
      count = Math.min(count, settings.stopAfter() - done);
    }
    List<StepCursor.Step> steps = new ArrayList<>();
    List<BatchRunner.Part> parts = new ArrayList<>();
    for (long number = done + 1; number <= done + count; number++) {
      int all = parts.size() + cursor.peek().parts().size();
      if (number > done + 1 && all > runner.batchesPerCall()) {
        break;
      }
      StepCursor.Step step = cursor.next();
      noteWhereNothingCounts(number, step);
      steps.add(step);
      for (int i = 0; i < step.parts().size(); i++) {
        boolean last = i == step.parts().size() - 1;
        parts.add(
            new BatchRunner.Part(
                step.parts().get(i), schedule.at(number - settings.continued().step()), last));
      }
    }
    long begin = System.nanoTime();
    List<StepResult> results = new ArrayList<>();
    for (int i = 0; i < parts.size(); i += runner.batchesPerCall()) {
      if (i > 0) {
        abandonIfStopped(listeners);
      }
      int end = Math.min(parts.size(), i + runner.batchesPerCall());
      results.addAll(runner.run(parts.subList(i, end), () -> abandonIfStopped(listeners)));
    }
    long nanos = (System.nanoTime() - begin) / steps.size();
    List<StepOutcome> outcomes = new ArrayList<>();
    Iterator<StepResult> result = results.iterator();
    for (StepCursor.Step step : steps) {
      long number = done + outcomes.size() + 1;
      double rate = schedule.at(number - settings.continued().step());
      double mean = 0;
      double norm = Double.NaN;
      for (StepCursor.Part part : step.parts()) {
        StepResult of = result.next();
        divergence.refuse(number, rate, of);
        mean += part.share() * of.loss();
        norm = of.gradientNorm();
      }
      outcomes.add(new StepOutcome(mean, norm, rate, step.examples(), step.epochsAfter(), nanos));
    }
    divergence.refuseVanishedScale(done + steps.size());
    return outcomes;
  }

  /** As PyTorch has it, the mean over nothing would be no number and end the run. */
  private void noteWhereNothingCounts(long number, StepCursor.Step step) {
    if (!saidNothingCounts && step.countsNothing()) {
      saidNothingCounts = true;
      String note =
          "step %,d has no label that counts: its loss and gradient are 0 (said once)"
              .formatted(number);
      listeners.forEach(l -> l.note(note));
    }
  }

  private static long untilDue(long done, long every) {
    return every > 0 ? every - done % every : Long.MAX_VALUE;
  }

  private record StepOutcome(
      double loss, double gradientNorm, double rate, int examples, double epochs, long nanos) {}
}
