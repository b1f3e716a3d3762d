package io.github.loragraph.cli;

import io.github.loragraph.Evaluation;
import io.github.loragraph.StepMetrics;
import io.github.loragraph.TrainingListener;
import java.time.Duration;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * Shows a training on standard error: a bar with loss, learning rate, samples a second, time left
 * and the last evaluation where that is a terminal, a line for each log entry where it is not.
 */
final class ProgressListener implements TrainingListener, AutoCloseable {
  /** As wide as terminals are at least; a bar that is too long for its line is shown many times. */
  private static final int COLUMNS = 80;

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

  /** The score of the last evaluation, behind the other figures; empty before it. */
  private String lastEvaluation = "";

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

  /**
   * The width of the terminal; the launcher knows. The library, if it were not told, would ask
   * JLine, which takes the process's signals away from {@link Signals} for good.
   */
  private static int columns() {
    int columns = Integer.getInteger("lora-graph.columns", 0);
    return columns > 0 ? columns : COLUMNS;
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
        .setUnit(" steps", 1)
        .setStyle(ProgressBarStyle.UNICODE_BLOCK)
        .setUpdateIntervalMillis(200)
        .setConsumer(new ConsoleProgressBarConsumer(System.err, columns() - 1))
        .build();
  }

  @Override
  public void onStepEnd(StepMetrics r) {
    if (onTerminal()) {
      if (bar == null) {
        bar = barFrom(r.step());
      }
      bar.setExtraMessage(
          String.format(
              Locale.ROOT,
              " loss %.4f, lr %.2g, %.1f samples/s%s",
              r.loss(),
              r.learningRate(),
              r.samplesPerSecond(),
              lastEvaluation));
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
            : String.format(Locale.ROOT, ", %s %.4f", report.scoreName(), report.score());
    if (step < totalSteps) {
      output.log("step %d  held out: %s", step, ReportOutput.headline(report));
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
