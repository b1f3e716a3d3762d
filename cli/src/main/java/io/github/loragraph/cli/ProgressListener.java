package io.github.loragraph.cli;

import io.github.loragraph.Evaluation;
import io.github.loragraph.StepMetrics;
import io.github.loragraph.TrainingListener;
import java.time.Duration;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Shows a training on standard error: a bar with loss, learning rate, samples a second, time left
 * and the last evaluation where that is a terminal, a line for each log entry where it is not.
 */
final class ProgressListener implements TrainingListener, AutoCloseable {
  private final ResultOutput output;

  /** Null where there is no terminal, or nothing to show yet. */
  private @Nullable ProgressBar bar;

  private long totalSteps;

  /** {@link System#nanoTime} when it began. */
  private long begun;

  /** The step that this process goes on after; what was before it took none of its time. */
  private long after;

  /** Whether that is known only by the first step. */
  private final boolean continued;

  /** The score of the last evaluation; empty before it. */
  private String lastEvaluation = "";

  /** Of the last step; the bar's thread reads it. */
  private volatile ProgressLine.Figures figures = ProgressLine.Figures.NONE;

  /**
   * @param continued whether it goes on from another run, whose steps are counted, too
   */
  ProgressListener(ResultOutput output, boolean continued) {
    this.output = output;
    this.continued = continued;
  }

  @Override
  public void onResume(long step) {
    after = step;
  }

  /** Whether standard error is a terminal; the launcher knows. */
  static boolean onTerminal() {
    return Boolean.getBoolean("lora-graph.progress");
  }

  @Override
  public void onTrainBegin(long steps) {
    totalSteps = steps;
    begun = System.nanoTime();
    if (onTerminal() && (!continued || after > 0)) {
      bar = barFrom(after);
    }
  }

  /** The time left is reckoned from the steps of this process alone. */
  private ProgressBar barFrom(long step) {
    return new ProgressBarBuilder()
        .setTaskName("training")
        .setInitialMax(totalSteps)
        .startsFrom(step, Duration.ofNanos(System.nanoTime() - begun))
        .setRenderer(new ProgressLine(() -> figures))
        .setUpdateIntervalMillis(200)
        .setConsumer(output.status())
        .build();
  }

  @Override
  public void onStepEnd(StepMetrics r) {
    if (onTerminal()) {
      if (bar == null) {
        bar = barFrom(r.step());
      }
      figures =
          new ProgressLine.Figures(
              String.format(Locale.ROOT, "loss %.4f", r.loss()),
              lastEvaluation,
              String.format(Locale.ROOT, "lr %.2g", r.learningRate()),
              String.format(Locale.ROOT, "%.1f samples/s", r.samplesPerSecond()));
      bar.stepTo(r.step());
    }
  }

  @Override
  public void onLog(StepMetrics r) {
    if (!onTerminal()) {
      output.say(
          String.format(
              Locale.ROOT,
              "step %d/%d  epoch %.2f  loss %.4f  learning rate %.3g  %.1f samples/s%s",
              r.step(),
              totalSteps,
              r.epoch(),
              r.loss(),
              r.learningRate(),
              r.samplesPerSecond(),
              r.skippedSteps() == 0
                  ? ""
                  : "  %d steps skipped, loss scale %.3g"
                      .formatted(r.skippedSteps(), r.lossScale())));
    }
  }

  @Override
  public void onEvaluate(long step, Evaluation report) {
    lastEvaluation =
        Double.isNaN(report.score())
            ? ""
            : String.format(Locale.ROOT, "%s %.4f", report.scoreName(), report.score());
    if (step < totalSteps) {
      output.log("step %d  held out: %s", step, ReportOutput.headline(report));
    }
  }

  /** What comes after the last step is said below a bar that is drawn no more. */
  @Override
  public void onTrainEnd() {
    close();
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
      // A bar that is closed before it was drawn for the first time does not do it.
      output.status().close();
    }
  }
}
