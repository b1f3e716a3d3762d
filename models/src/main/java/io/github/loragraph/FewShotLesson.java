package io.github.loragraph;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.StoredExamples;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.evaluation.Answer;
import io.github.loragraph.evaluation.Classifier;
import io.github.loragraph.evaluation.Measurement;
import io.github.loragraph.fewshot.ExamplePairs;
import io.github.loragraph.fewshot.HeadFit;
import io.github.loragraph.lora.InitializerUntying;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.ModelNotes;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.trainer.TrainedGraph;
import io.github.loragraph.trainer.TrainingData;
import io.github.loragraph.trainer.TrainingJob;
import io.github.loragraph.trainer.TrainingStopped;
import io.github.loragraph.training.CosineSimilarityLoss;
import io.github.loragraph.training.EncoderHead;
import io.github.loragraph.training.SentenceEmbedding;
import io.github.loragraph.training.Towers;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Few examples of each class, by the recipe of SetFit: the job trains the encoder on pairs of them,
 * and the head is fitted to its vectors after the last step. An evaluation, on the way or at the
 * end, fits a head to the vectors of that moment: the one at the end is the one that is kept.
 */
final class FewShotLesson implements Lesson {
  /** Where plain training usually does as well. */
  private static final int MANY = 64;

  private static final int LONGEST = 120;

  private final String name;
  private final ModelData data;
  private final TrainingArguments arguments;
  private final TrainingNotes notes;
  private final ModelData.Encoded encoded;
  private final Optional<ModelData.Encoded> heldOut;
  private final Optional<WorstMistakes> worst;
  private final List<Example> examples;
  private final ExamplePairs pairs;
  private final EncoderHead parts;
  private final Set<String> head;

  FewShotLesson(
      ModelData data,
      Dataset training,
      Optional<Dataset> heldOut,
      TrainingArguments arguments,
      TrainingNotes notes,
      ShapeInference shapes) {
    this.name = training.name();
    this.data = data;
    this.arguments = arguments;
    this.notes = notes;
    OnnxModel model = data.answer().model();
    this.head = TrainableSelection.of(Method.HEAD).values(model);
    this.parts = EncoderHead.of(data.answer().answering(), head, shapes);
    this.encoded = data.labelled(name, LabelledData.rows(data, training, notes));
    Optional<List<Row>> heldOutRows = heldOut.map(set -> LabelledData.rows(data, set, notes));
    this.heldOut = heldOut.map(set -> data.labelled(set.name(), heldOutRows.orElseThrow()));
    this.worst = this.heldOut.map(set -> WorstMistakes.of(data, heldOutRows.orElseThrow(), set));
    List<Example> sampled =
        StoredExamples.selected(
            encoded.examples(),
            arguments.sampleOfClasses(encoded.examples(), data.labels().names(), notes));
    // What counts nothing for a loss is no partner for others either.
    this.examples = sampled.stream().filter(example -> example.label() >= 0).toList();
    this.pairs = drawn();
  }

  private ExamplePairs drawn() {
    try {
      return ExamplePairs.draw(examples, arguments.fewShotIterations(), arguments.seed());
    } catch (LoraGraphException e) {
      throw new LoraGraphException("%s: %s".formatted(name, e.getMessage()), e);
    }
  }

  @Override
  public int size() {
    return pairs.pairs().size();
  }

  @Override
  public Set<String> trained(Set<String> chosen) {
    Set<String> ofEncoder = parts.ofEncoder(chosen);
    if (ofEncoder.isEmpty()) {
      throw new LoraGraphException(
          "none of the %d values to train is before the head, and pairs of texts train the encoder: inject adapters into it"
              .formatted(chosen.size()));
    }
    return ofEncoder;
  }

  @Override
  public TrainingJob.Builder job(Sessions sessions) {
    TrainingData pairsOfTexts =
        new TrainingData(data.task(), pairs.forTowers(), List.of(), data.padId());
    SentenceEmbedding vectors =
        new SentenceEmbedding(
            parts.encoder(),
            Optional.empty(),
            false,
            false,
            parts.size(),
            parts.value(),
            List.of());
    Answer given = data.answer();
    Answer answer = new Answer(given.model(), given.task(), given.logits(), vectors);
    HeadFit fit = fit(sessions);
    Measurement measurement =
        heldOut
            .<Measurement>map(
                set ->
                    classifier ->
                        fit.evaluate(
                            fit.fit(classifier, examples),
                            classifier,
                            set.examples(),
                            data.outputs(),
                            worst.orElseThrow()::answered))
            .orElse(null);
    return TrainingJob.builder(given.model(), pairsOfTexts)
        .loss(new CosineSimilarityLoss())
        .graph(new TrainedGraph(answer, Towers.of(parts.encoder()), 0))
        .measurement(measurement);
  }

  private HeadFit fit(Sessions sessions) {
    return new HeadFit(
        parts,
        parts.ofHead(head),
        data.task(),
        data.task().loss(LabelledLesson.lossOptions(arguments, examples, data), examples),
        data.padId(),
        sessions);
  }

  @Override
  public TrainingJob.Result completed(
      TrainingJob.Result result,
      Sessions sessions,
      List<io.github.loragraph.trainer.TrainingListener> listeners) {
    long steps = result.summary().steps();
    HeadFit.Fitted fitted;
    try (io.github.loragraph.evaluation.Predictor encoder =
        new io.github.loragraph.evaluation.Predictor(
            parts.encoderOf(result.model()), data.padId(), sessions)) {
      Classifier classifier =
          encoder.classifier().after(() -> TrainingStopped.ifWanted(listeners, steps));
      fitted = fit(sessions).fit(classifier, examples);
    }
    notes.accept(
        String.format(
            Locale.ROOT,
            "few-shot: the head was fitted to the vectors of %,d examples, loss %.4f",
            examples.size(),
            fitted.loss()));
    Map<String, Number> figures = new LinkedHashMap<>();
    figures.put("headExamples", examples.size());
    figures.put("headSteps", HeadFit.STEPS);
    figures.put("headLoss", fitted.loss());
    listeners.forEach(listener -> listener.fitted(steps, figures));
    return new TrainingJob.Result(
        result.summary(),
        InitializerUntying.withValues(result.model(), fitted.values()),
        result.engine(),
        result.unreached());
  }

  @Override
  public Optional<Measurement> measurement() {
    return Optional.empty();
  }

  @Override
  public List<String> remarks() {
    List<String> remarks =
        new ArrayList<>(ModelNotes.ofAbsentClasses(name, data, examples).stream().toList());
    List<String> names = data.labels().names();
    List<String> alone = new ArrayList<>();
    List<String> many = new ArrayList<>();
    pairs
        .sizes()
        .forEach(
            (label, size) -> {
              if (size == 1) {
                alone.add("'" + names.get(label) + "'");
              } else if (size > MANY) {
                many.add("'" + names.get(label) + "'");
              }
            });
    long alike = pairs.alike();
    remarks.add(
        "few-shot: %,d pairs of %,d examples, %,d of one class and %,d of two; what enters the head, '%s' (%,d numbers), is compared"
            .formatted(
                size(), examples.size(), alike, size() - alike, parts.value(), parts.size()));
    if (!alone.isEmpty()) {
      remarks.add(
          "few-shot: a class has one example alone, which is in no pair of one class (%s): give it two or more"
              .formatted(PlainText.shortened(String.join(", ", alone), LONGEST)));
    }
    if (!many.isEmpty()) {
      remarks.add(
          "few-shot: a class has more than %d examples (%s): with so many, plain training is often as good and takes fewer steps"
              .formatted(MANY, PlainText.shortened(String.join(", ", many), LONGEST)));
    }
    return remarks;
  }

  @Override
  public RunDefaults defaults(Dataset training, ModelData read) {
    return LabelledLesson.defaultsOf(training, read);
  }

  @Override
  public Optional<WorstMistakes> worst() {
    return worst;
  }

  @Override
  public boolean isOfSingleTexts() {
    return false;
  }

  @Override
  public List<Example> texts() {
    return examples;
  }

  @Override
  public List<Example> textsEval() {
    return heldOut.map(ModelData.Encoded::examples).orElse(List.of());
  }

  @Override
  public int truncated() {
    return encoded.truncated();
  }

  @Override
  public int truncatedEval() {
    return heldOut.map(ModelData.Encoded::truncated).orElse(0);
  }
}
