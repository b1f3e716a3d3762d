package io.github.loragraph;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.task.Report;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Hands on what the trainer says, in the words of the front door, and asks whether to stop. A
 * thread that is interrupted while it trains wishes to stop: the wish is taken at once, since an
 * interrupted thread can write no file, and is there again when this is closed.
 */
final class ListenerBridge implements io.github.loragraph.trainer.TrainingListener, AutoCloseable {
  private final List<TrainingListener> listeners;
  private final Consumer<String> notes;
  private final boolean keepsCheckpoints;

  /** Null until the trainer has its data. */
  private @Nullable Function<Report, Evaluation> evaluation;

  private OptionalLong goesOnAfter = OptionalLong.empty();
  private long totalSteps;
  private boolean interrupted;

  /**
   * @param notes takes what was decided on the way
   * @param keepsCheckpoints whether there is a run folder for them
   */
  ListenerBridge(
      List<TrainingListener> listeners, Consumer<String> notes, boolean keepsCheckpoints) {
    this.listeners = listeners;
    this.notes = notes;
    this.keepsCheckpoints = keepsCheckpoints;
  }

  /** With what makes the words of the front door of a report. */
  void measures(Function<Report, Evaluation> by) {
    evaluation = by;
  }

  /** With the step that a training goes on after, which is said when it does. */
  void goesOnAfter(long step) {
    goesOnAfter = OptionalLong.of(step);
  }

  Evaluation evaluation(Report report) {
    return Objects.requireNonNull(evaluation).apply(report);
  }

  @Override
  public void started(long steps) {
    totalSteps = steps;
    goesOnAfter.ifPresent(step -> listeners.forEach(listener -> listener.onResume(step)));
    listeners.forEach(listener -> listener.onTrainBegin(steps));
  }

  private StepMetrics metrics(StepRecord r) {
    return new StepMetrics(
        r.step(),
        totalSteps,
        r.epoch(),
        r.loss(),
        r.learningRate(),
        r.gradientNorm(),
        r.skippedSteps(),
        r.lossScale(),
        r.samplesPerSecond());
  }

  @Override
  public void step(StepRecord r) {
    StepMetrics metrics = metrics(r);
    listeners.forEach(listener -> listener.onStepEnd(metrics));
  }

  @Override
  public void log(StepRecord r) {
    StepMetrics metrics = metrics(r);
    listeners.forEach(listener -> listener.onLog(metrics));
  }

  @Override
  public void note(String line) {
    notes.accept(line);
  }

  @Override
  public void evaluated(long step, Report report) {
    Evaluation measured = evaluation(report);
    listeners.forEach(listener -> listener.onEvaluate(step, measured));
  }

  @Override
  public void checkpoint(long step, Checkpoint state) {
    if (keepsCheckpoints) {
      listeners.forEach(listener -> listener.onSave(step));
    }
  }

  /**
   * Says that the last step was made, and has what was trained written: whatever a listener throws
   * comes after that, for by then the training is done.
   */
  void ended(Runnable writing) {
    try {
      listeners.forEach(TrainingListener::onTrainEnd);
    } finally {
      writing.run();
    }
  }

  @Override
  public boolean wantsToStop() {
    interrupted |= Thread.interrupted();
    return interrupted || listeners.stream().anyMatch(TrainingListener::shouldTrainingStop);
  }

  @Override
  public void close() {
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
