package io.github.loragraph.cli;

import io.github.loragraph.Evaluation;
import io.github.loragraph.TrainingEstimate;
import io.github.loragraph.TrainingResult;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a training brought, as {@code train} prints it. */
final class TrainingOutput {
  private TrainingOutput() {}

  private static final double GIGABYTE = 1e9;

  /** What a training would take, for people or as JSON. */
  static void print(TrainingEstimate estimate, ResultOutput output) {
    Map<String, Object> json = new LinkedHashMap<>();
    boolean known = estimate.peakBytes().isPresent();
    json.put("peakBytes", known ? estimate.peakBytes().getAsLong() : null);
    json.put("seconds", estimate.seconds());
    json.put("steps", estimate.steps());
    json.put("secondsPerStep", estimate.secondsPerStep());
    json.put("evaluations", estimate.evaluations());
    json.put("secondsPerEvaluation", estimate.secondsPerEvaluation());
    json.put("microBatch", estimate.microBatch());
    estimate.recomputedPieces().ifPresent(pieces -> json.put("recomputedPieces", pieces));
    output.print(
        json,
        out ->
            out.printf(
                Locale.ROOT,
                "the whole run would take %s and %,.0f s: %,d step%s of %.3f s%s%n",
                known
                    ? String.format(
                        Locale.ROOT,
                        "%.2f GB at its peak",
                        estimate.peakBytes().getAsLong() / GIGABYTE)
                    : "memory that this system does not tell",
                estimate.seconds(),
                estimate.steps(),
                estimate.steps() == 1 ? "" : "s",
                estimate.secondsPerStep(),
                estimate.evaluations() == 0
                    ? ""
                    : String.format(
                        Locale.ROOT,
                        ", %,d evaluation%s of %.1f s",
                        estimate.evaluations(),
                        estimate.evaluations() == 1 ? "" : "s",
                        estimate.secondsPerEvaluation())));
  }

  /** The result, for people or as JSON. */
  static void print(TrainingResult result, Path runFolder, ResultOutput output) {
    Map<String, Double> figures = result.evaluation().map(ReportOutput::figures).orElse(Map.of());
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("steps", result.steps());
    json.put("finalTrainLoss", orNull(result.trainLoss()));
    json.put("evalAccuracy", figures.get("accuracy"));
    json.put("evalLoss", figures.get("loss"));
    if (result.evaluation().isPresent()) {
      json.put("eval", figures);
    }
    result
        .base()
        .ifPresent(
            base -> {
              json.put("base", ReportOutput.figures(base));
              json.put("keptBase", result.keptBase());
            });
    result
        .best()
        .ifPresent(
            best -> {
              Map<String, Object> entry = new LinkedHashMap<>();
              entry.put("step", best.step());
              entry.put("metric", best.metric());
              entry.put("value", best.value());
              json.put("best", entry);
            });
    json.put("truncated", result.truncated());
    json.put("truncatedEval", result.truncatedEval());
    json.put("samplesPerSecond", orNull(result.samplesPerSecond()));
    json.put("runFolder", runFolder.toString());
    json.put("engine", EngineConverter.name(result.engine()));
    json.put("device", result.device().toString());
    output.print(
        json,
        out -> {
          out.printf(
              Locale.ROOT,
              "%,d steps, final training loss %.4f%s (engine %s on %s)%n",
              result.steps(),
              result.trainLoss(),
              Double.isNaN(result.samplesPerSecond())
                  ? ""
                  : String.format(Locale.ROOT, ", %.1f samples/s", result.samplesPerSecond()),
              EngineConverter.name(result.engine()),
              result.device());
          result
              .base()
              .ifPresent(
                  report -> out.println("held out before: " + ReportOutput.headline(report)));
          result
              .evaluation()
              .ifPresent(report -> out.println("held out: " + ReportOutput.headline(report)));
          out.println("written: " + runFolder);
        });
  }

  /**
   * What a training brought that was stopped where it was to be.
   *
   * @param evaluation the last one; null where there was none
   */
  static void printStopped(
      long step,
      @Nullable Evaluation evaluation,
      Path runFolder,
      String howToGoOn,
      ResultOutput output) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("steps", step);
    json.put("stopped", true);
    if (evaluation != null) {
      json.put("eval", ReportOutput.figures(evaluation));
    }
    json.put("runFolder", runFolder.toString());
    output.print(
        json,
        out -> {
          if (evaluation != null) {
            out.println("held out: " + ReportOutput.headline(evaluation));
          }
          out.printf(Locale.ROOT, "stopped after step %,d, as asked%s%n", step, howToGoOn);
        });
  }

  /** A figure of steps, which a run that only had its end to write has not made. */
  private static @Nullable Double orNull(double figure) {
    return Double.isNaN(figure) ? null : figure;
  }
}
