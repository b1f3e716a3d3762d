package io.github.loragraph;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a training brought.
 *
 * @param model the trained model, with its adapters; the model as it was where {@code keptBase}
 * @param steps that were made
 * @param trainLoss the loss over the span of the last log entry, or of the last step without logs
 * @param samplesPerSecond examples a second over all steps, evaluations not counted; NaN where a
 *     run that was gone on with had only its end to write
 * @param evaluation on held-out data of the model; empty where there was none
 * @param best the evaluation whose parameters the model has; empty where there were not several, or
 *     the last ones were asked for
 * @param base the same before the training; empty where that was not measured
 * @param keptBase whether the model is as it was, because it did no better
 * @param engine what ran the steps; never {@code AUTO}
 * @param device what computed
 * @param truncated how many texts of the training data were cut at the maximum length
 * @param truncatedEval the same of the held-out data
 * @param unreached the parameters that got no gradient, so are unchanged
 * @param runFolder where the run was written
 * @param notes what was guessed, cut, left out or decided, a line each
 */
public record TrainingResult(
    Model model,
    long steps,
    double trainLoss,
    double samplesPerSecond,
    Optional<Evaluation> evaluation,
    Optional<BestEvaluation> best,
    Optional<Evaluation> base,
    boolean keptBase,
    TrainingArguments.Engine engine,
    Device device,
    int truncated,
    int truncatedEval,
    List<String> unreached,
    Optional<Path> runFolder,
    List<String> notes) {

  public TrainingResult {
    unreached = List.copyOf(unreached);
    notes = List.copyOf(notes);
  }
}
