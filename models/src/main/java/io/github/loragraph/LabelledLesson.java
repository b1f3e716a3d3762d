package io.github.loragraph;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.StoredExamples;
import io.github.loragraph.evaluation.Classifier;
import io.github.loragraph.evaluation.Evaluator;
import io.github.loragraph.evaluation.Measurement;
import io.github.loragraph.models.ModelConfig;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.ModelNotes;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.task.LossOptions;
import io.github.loragraph.task.Report;
import io.github.loragraph.task.Thresholds;
import io.github.loragraph.trainer.TrainingData;
import io.github.loragraph.trainer.TrainingJob;
import io.github.loragraph.trainer.TrainingStopped;
import io.github.loragraph.training.Loss;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Examples with labels. */
final class LabelledLesson implements Lesson {
  private final String name;
  private final ModelData data;
  private final TrainingArguments arguments;
  private final LabelledData training;
  private final Optional<LabelledData> heldOut;
  private final Optional<WorstMistakes> worst;
  private final List<Example> examples;

  /** The examples for who asks for their targets alone. */
  private final List<Example> targets;

  private final TrainingNotes notes;

  /** Empty until they are fitted. */
  private Map<String, Double> thresholds = Map.of();

  LabelledLesson(
      ModelData data,
      Dataset training,
      Optional<Dataset> heldOut,
      TrainingArguments arguments,
      TrainingNotes notes) {
    this.name = training.name();
    this.data = data;
    this.notes = notes;
    this.arguments = arguments;
    this.training = LabelledData.toTrainOn(data, training, arguments, notes);
    this.heldOut = heldOut.map(set -> LabelledData.toMeasureWith(data, set, arguments, notes));
    this.worst = this.heldOut.map(LabelledData::worst);
    this.examples = this.training.sample(arguments, notes);
    this.targets = StoredExamples.targetsOf(examples);
  }

  @Override
  public int size() {
    return examples.size();
  }

  @Override
  public TrainingJob.Builder job(Sessions sessions) {
    TrainingData trainingData =
        new TrainingData(
            data.task(),
            examples,
            heldOut.map(LabelledData::examples).orElse(List.of()),
            data.padId(),
            data.view(training.rows(), arguments.masking(), arguments.seed()),
            data.labels().names());
    return TrainingJob.builder(data.answer().model(), trainingData)
        .loss(data.task().loss(lossOptions(), targets));
  }

  @Override
  public TrainingJob.Result completed(
      TrainingJob.Result result,
      Sessions sessions,
      List<io.github.loragraph.trainer.TrainingListener> listeners) {
    if (!arguments.fitsThresholds()) {
      return result;
    }
    List<Example> measured = heldOut.map(LabelledData::examples).orElseThrow();
    List<Example> expected = StoredExamples.targetsOf(measured);
    float[][] logits = new float[measured.size()][];
    try (io.github.loragraph.evaluation.Predictor trained =
        new io.github.loragraph.evaluation.Predictor(
            data.answer().logits().applyTo(result.model()), data.padId(), sessions)) {
      Classifier classifier =
          trained
              .classifier()
              .after(() -> TrainingStopped.ifWanted(listeners, result.summary().steps()));
      evaluator().each(classifier, measured, 0, (number, row) -> logits[number] = row);
    }
    io.github.loragraph.task.Task task = data.task();
    List<String> names = data.labels().names();
    Thresholds fitted = task.fitThresholds(logits, expected);
    thresholds = fitted.named(names);
    Report half = task.report(logits, expected, names);
    Report after = task.with(fitted).report(logits, expected, names);
    notes.accept(
        String.format(
            Locale.ROOT,
            "thresholds fitted to %,d held-out examples: %s; on these examples %s",
            measured.size(),
            ModelNotes.shown(thresholds),
            Stream.of("macroF1", "microF1")
                .map(
                    figure ->
                        String.format(
                            Locale.ROOT,
                            "%s %.4f, with a half %.4f",
                            figure,
                            after.figures().get(figure),
                            half.figures().get(figure)))
                .collect(Collectors.joining(", "))));
    ModelNotes.ofExtreme(fitted.extreme(names)).ifPresent(notes);
    ModelNotes.ofAbsentClasses("the held-out data", data, expected).stream()
        .map(line -> line + "; its threshold stays at a half")
        .forEach(notes);
    worst.ifPresent(list -> list.judged(task.with(fitted), logits));
    return result.withEvaluation(after);
  }

  @Override
  public Map<String, Double> thresholds() {
    return thresholds;
  }

  private Evaluator evaluator() {
    return new Evaluator(data.answer().answering().graph().requiredInputs(), data.padId());
  }

  private LossOptions lossOptions() {
    return lossOptions(arguments, targets, data);
  }

  /** The options of a loss over the task's classes. */
  static LossOptions lossOptions(
      TrainingArguments arguments, List<Example> examples, ModelData data) {
    LossOptions options = arguments.lossOptions();
    return arguments.balancesClasses()
        ? new LossOptions(
            options.labelSmoothing(),
            LossOptions.balancedWeights(examples, data.outputs()),
            options.name())
        : options;
  }

  @Override
  public Optional<Measurement> measurement() {
    Evaluator evaluator = evaluator();
    return heldOut.map(
        set ->
            classifier ->
                evaluator.evaluate(
                    classifier,
                    set.examples(),
                    data.task(),
                    data.outputs(),
                    data.labels().names()));
  }

  @Override
  public List<String> remarks() {
    Loss loss = data.task().loss(lossOptions(), targets);
    List<String> remarks = new ArrayList<>();
    ModelNotes.ofLists(loss, targets, arguments.settings().batchSize()).ifPresent(remarks::add);
    ModelNotes.ofAbsentClasses(name, data, targets).ifPresent(remarks::add);
    if (!data.thresholds().isEmpty() && !arguments.fitsThresholds()) {
      remarks.add(
          "the thresholds in %s are those of the model as it is: the trained one decides by a half, unless they are fitted again"
              .formatted(ModelConfig.FILE));
    }
    return remarks;
  }

  @Override
  public RunDefaults defaults(Dataset training, ModelData read) {
    return defaultsOf(training, read);
  }

  static RunDefaults defaultsOf(Dataset training, ModelData read) {
    Map<String, @Nullable String> columns = training.columns();
    return new RunDefaults(
        columns.get("textColumn"),
        columns.get("textPairColumn"),
        columns.get("labelColumn"),
        read.pairs().orElse(null),
        read.task(),
        read.maxLength());
  }

  @Override
  public Optional<WorstMistakes> worst() {
    return worst;
  }

  @Override
  public List<Example> texts() {
    return examples;
  }

  @Override
  public List<Example> textsEval() {
    return heldOut.map(LabelledData::examples).orElse(List.of());
  }

  @Override
  public int truncated() {
    return training.truncated();
  }

  @Override
  public int truncatedEval() {
    return heldOut.map(LabelledData::truncated).orElse(0);
  }
}
