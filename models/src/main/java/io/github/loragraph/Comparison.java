package io.github.loragraph;

import io.github.loragraph.evaluation.Measurement;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.task.Report;
import io.github.loragraph.trainer.Trainer;
import io.github.loragraph.trainer.TrainingJob;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The model before its training beside the model after it, on the held-out data. Of an encoder that
 * embeds, which is good at what it was made for, training may make a worse one.
 */
final class Comparison {
  private final boolean keepsIfBetter;

  /** Null where nothing was measured before. */
  private final @Nullable Evaluation base;

  private final @Nullable Report baseReport;
  private boolean keptBase;

  private Comparison(
      boolean keepsIfBetter, @Nullable Evaluation base, @Nullable Report baseReport) {
    this.keepsIfBetter = keepsIfBetter;
    this.base = base;
    this.baseReport = baseReport;
  }

  /** Measures the model as it is, where that says something. */
  static Comparison before(
      Lesson lesson,
      ModelData data,
      TrainingArguments arguments,
      Sessions sessions,
      ListenerBridge bridge) {
    Optional<Measurement> measurement = lesson.measurement();
    boolean compares = data.embedding() != null || arguments.keepsIfBetter();
    if (!compares || measurement.isEmpty()) {
      return new Comparison(arguments.keepsIfBetter(), null, null);
    }
    try (io.github.loragraph.evaluation.Predictor untrained =
        new io.github.loragraph.evaluation.Predictor(
            data.answer().answering(), data.padId(), sessions)) {
      Report report = measurement.get().of(untrained.classifier());
      return new Comparison(arguments.keepsIfBetter(), bridge.evaluation(report), report);
    }
  }

  private static String shown(double figure) {
    return Double.isNaN(figure) ? "not defined" : String.format(Locale.ROOT, "%.4f", figure);
  }

  /** How the model did before; empty where that was not measured. */
  Optional<Evaluation> base() {
    return Optional.ofNullable(base);
  }

  /** Whether the model is as it was, because it did no better. */
  boolean keptBase() {
    return keptBase;
  }

  /**
   * What the training made; or the model as it was, where that is to be kept if it did no worse.
   */
  TrainingJob.Result settle(TrainingJob.Result result, Model model, Consumer<String> notes) {
    Trainer.Summary summary = result.summary();
    Report tuned = summary.evaluation();
    if (baseReport == null || tuned == null) {
      return result;
    }
    double before = baseReport.score();
    double after = tuned.score();
    String figures =
        "%s %s before, %s after".formatted(tuned.scoreName(), shown(before), shown(after));
    if (after > before) {
      return result;
    }
    if (!keepsIfBetter) {
      notes.accept(
          after < before
              ? "the training made the model worse on the held-out data: %s".formatted(figures)
              : "the training made the model no better on the held-out data: %s"
                  .formatted(figures));
      return result;
    }
    keptBase = true;
    notes.accept("the model stays as it was: %s on the held-out data".formatted(figures));
    return new TrainingJob.Result(
        summary.thrownAway(baseReport), model.graph(), result.engine(), result.unreached());
  }
}
