package io.github.loragraph;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.StoredExamples;
import io.github.loragraph.evaluation.Evaluator;
import io.github.loragraph.evaluation.Measurement;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.ModelNotes;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.task.LossOptions;
import io.github.loragraph.trainer.TrainingData;
import io.github.loragraph.trainer.TrainingJob;
import io.github.loragraph.training.Loss;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  LabelledLesson(
      ModelData data,
      Dataset training,
      Optional<Dataset> heldOut,
      TrainingArguments arguments,
      TrainingNotes notes) {
    this.name = training.name();
    this.data = data;
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
    Evaluator evaluator =
        new Evaluator(data.answer().answering().graph().requiredInputs(), data.padId());
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
    return Stream.concat(
            ModelNotes.ofLists(loss, targets, arguments.settings().batchSize()).stream(),
            ModelNotes.ofAbsentClasses(name, data, targets).stream())
        .toList();
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
