package io.github.loragraph;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.ExampleEncoder;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.TextGroup;
import io.github.loragraph.embedding.EmbeddingObjective;
import io.github.loragraph.embedding.GroupExamples;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.Classifier;
import io.github.loragraph.evaluation.Evaluator;
import io.github.loragraph.evaluation.Measurement;
import io.github.loragraph.models.DocumentModel;
import io.github.loragraph.models.EmbeddingConfig;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.retrieval.EmbeddingMeasure;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.trainer.TrainedGraph;
import io.github.loragraph.trainer.TrainingData;
import io.github.loragraph.trainer.TrainingJob;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.Towers;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Groups of texts, of which an encoder learns what is near to what.
 *
 * <p>Long because the kinds of groups differ in what is read, trained and measured of them.
 */
final class EmbeddingLesson implements Lesson {
  /**
   * Vectors that all anchors are compared with in a step: more cost more time than they teach, and
   * a graph of more than 2 GB cannot be written.
   */
  private static final int MOST_VECTORS = 100_000;

  private final ModelData data;
  private final Model model;
  private final EmbeddingConfig config;
  private final TrainingArguments arguments;
  private final EmbeddingObjective objective;
  private final TrainingNotes notes;
  private final GroupExamples groups;
  private final int size;
  private final int truncated;
  private final int truncatedEval;
  private final Evaluator evaluator;
  private final @Nullable EmbeddingMeasure measure;
  private final List<Example> queries;
  private final List<Example> documents;
  private final ShapeInference shapes;

  /** Embeds the documents of what is made, where that is for queries alone; else null. */
  private final @Nullable DocumentModel documentModel;

  /** Of the documents that are measured with, where they stay as they are; else null. */
  private float @Nullable [][] documentVectors;

  EmbeddingLesson(
      Model model,
      ModelData data,
      EmbeddingConfig config,
      Dataset training,
      Optional<Dataset> heldOut,
      TrainingArguments arguments,
      TrainingNotes notes,
      ShapeInference shapes) {
    this.data = data;
    this.shapes = shapes;
    this.model = model;
    this.config = config;
    this.arguments = arguments;
    this.objective = arguments.embeddingLoss().internal();
    this.notes = notes;
    refuseOtherOptions();
    objective.withoutEffect().forEach(notes);
    this.documentModel = arguments.trainsQuerySide() ? model.documentModel() : null;
    @Nullable DocumentModel before = model.defaults(line -> {}).documentModel();
    if (before != null && documentModel == null) {
      notes.accept(
          "%s was trained on the query side, and both sides are trained now: its documents are no longer embedded by %s"
              .formatted(model.shown(), before.file()));
    }
    List<TextGroup> all = training.groups(RunDefaults.NONE, notes.ofData());
    List<TextGroup> sampled = arguments.sample(all);
    this.size = sampled.size();
    ExampleEncoder encoder = data.encoder();
    this.groups =
        new GroupExamples(
            sampled, encoder, config.queryPrefix(), config.documentPrefix(), data.padId());
    this.truncated = encoder.cut();
    data.tellCut(training.name(), truncated, (long) sampled.size() * (groups.most() + 1));
    objective.requireFitting(groups.most(), data.outputs());
    if (objective.labels() == EmbeddingObjective.Labels.TEXTS) {
      TextGroup.ofScoresPassedOver(sampled, "the loss " + objective.kind()).ifPresent(notes);
    }
    nothingToLearn(sampled).ifPresent(notes);
    if (arguments.miniBatchSize() > 0 && arguments.stepsPerCall().orElse(1) > 1) {
      notes.accept("batches in parts take a call for each part: one step in a call");
    }
    if (groups.filledUp() > 0) {
      notes.accept(
          "%s: %,d of %,d groups have fewer negatives than %d: what is missing is left out of the loss"
              .formatted(training.name(), groups.filledUp(), size, groups.most() - 1));
    }
    long withoutScore = groups.withoutScore();
    if (objective.labels() == EmbeddingObjective.Labels.SCORES && withoutScore > 0) {
      notes.accept(
          "%s: scores of -100 stand for none: %,d of them, whose texts are left out of the loss"
              .formatted(training.name(), withoutScore));
    }
    this.evaluator =
        new Evaluator(data.answer().answering().graph().requiredInputs(), data.padId());
    this.measure = heldOut.map(set -> set.measure(RunDefaults.NONE, notes.ofData())).orElse(null);
    ExampleEncoder ofQueries = data.encoder();
    ExampleEncoder ofDocuments = data.encoder();
    this.queries =
        measure == null ? List.of() : encoded(ofQueries, measure.queries(), config.queryPrefix());
    this.documents =
        measure == null
            ? List.of()
            : encoded(ofDocuments, measure.documents(), config.documentPrefix());
    this.truncatedEval = ofQueries.cut() + ofDocuments.cut();
    if (measure != null) {
      tellCut(measure, ofQueries.cut(), ofDocuments.cut());
    }
  }

  /** By the files that they are in. */
  private void tellCut(EmbeddingMeasure held, int cutQueries, int cutDocuments) {
    String ofQueries = held.queries().get(0).source();
    String ofDocuments = held.documents().get(0).source();
    if (ofQueries.equals(ofDocuments)) {
      data.tellCut(ofQueries, truncatedEval, queries.size() + documents.size());
    } else {
      data.tellCut(ofQueries, cutQueries, queries.size());
      data.tellCut(ofDocuments, cutDocuments, documents.size());
    }
  }

  private static List<Example> encoded(ExampleEncoder encoder, List<Row> rows, String prefix) {
    return encoder.withoutLabels(rows.stream().map(row -> row.beginningWith(prefix)).toList());
  }

  /** Why the loss is always 0; empty where it is not. */
  private Optional<String> nothingToLearn(List<TextGroup> sampled) {
    boolean alone = Math.min(size, arguments.trainBatchSize()) == 1;
    return switch (objective.kind()) {
      case MULTIPLE_NEGATIVES -> {
        boolean same = groups.texts().size() == 1;
        yield same || alone && groups.most() == 1 && !arguments.trainsQuerySide()
            ? Optional.of(
                "nothing is learned: %s, so that there is nothing that the right text could be told from; %s"
                    .formatted(
                        same ? "all groups have the same text" : "a batch has one pair",
                        same ? "give others" : "take larger batches, or give negatives"))
            : Optional.empty();
      }
      case COSENT -> {
        boolean same =
            sampled.stream().map(TextGroup::requireScore).distinct().limit(2).count() == 1;
        yield same || alone
            ? Optional.of(
                "nothing is learned: %s, and the loss cosent is over the order of scores"
                    .formatted(same ? "all scores are equal" : "a batch has one pair"))
            : Optional.empty();
      }
      default -> Optional.empty();
    };
  }

  private void refuseOtherOptions() {
    if (!arguments.lossOptions().isPlain() || arguments.balancesClasses()) {
      throw new LoraGraphException(
          "label smoothing and class weights belong to a cross-entropy over classes, not to embeddings");
    }
    boolean among =
        arguments.trainsQuerySide()
            && objective.kind() == EmbeddingObjective.Kind.MULTIPLE_NEGATIVES;
    if (among && objective.symmetric()) {
      throw new LoraGraphException(
          "documents that stay as they are look for no queries: leave the symmetric loss or the query side out");
    }
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public TrainingJob.Builder job(Sessions sessions) {
    OnnxModel embedding = data.answer().answering();
    Loss loss = objective.ofGroups();
    OnnxModel graph;
    List<Example> examples;
    if (!arguments.trainsQuerySide()) {
      graph = Towers.of(embedding);
      examples = groups.forTowers(objective);
    } else {
      refuseTooManyTexts();
      float[][] vectors = vectorsBefore(sessions);
      notes.accept(
          "query side: %,d other texts were embedded once and stay as they are"
              .formatted(vectors.length));
      if (objective.kind() == EmbeddingObjective.Kind.MULTIPLE_NEGATIVES) {
        graph = Towers.anchorAlone(embedding);
        examples = groups.amongAll();
        loss = objective.among(tensor(vectors));
      } else {
        graph = Towers.anchorOnly(embedding);
        examples = groups.besideVectors(objective, vectors);
      }
    }
    TrainingData trainingData = new TrainingData(data.task(), examples, List.of(), data.padId());
    return TrainingJob.builder(data.answer().model(), trainingData)
        .loss(loss)
        .graph(new TrainedGraph(data.answer(), graph, arguments.miniBatchSize()))
        .measurement(measurement().orElse(null));
  }

  /** Before they are embedded, which takes its time. */
  private void refuseTooManyTexts() {
    int texts = groups.texts().size();
    if (objective.kind() == EmbeddingObjective.Kind.MULTIPLE_NEGATIVES && texts > MOST_VECTORS) {
      throw new LoraGraphException(
          "the data has %,d different texts beside the anchors, and a training of the query side compares with %,d at most: take fewer"
              .formatted(texts, MOST_VECTORS));
    }
  }

  private static Tensor tensor(float[][] vectors) {
    int dimension = vectors[0].length;
    float[] all = new float[Math.multiplyExact(vectors.length, dimension)];
    for (int i = 0; i < vectors.length; i++) {
      System.arraycopy(vectors[i], 0, all, i * dimension, dimension);
    }
    return Tensor.ofFloats("document_vectors", all, vectors.length, dimension);
  }

  /**
   * What the model says of the texts before it is trained; what it says of the documents that are
   * measured with is kept.
   */
  private float[][] vectorsBefore(Sessions sessions) {
    @Nullable DocumentModel own = model.defaults(line -> {}).documentModel();
    if (own != null) {
      return vectorsOf(own, sessions);
    }
    return vectorsOf(data, sessions);
  }

  private float[][] vectorsOf(ModelData encoder, Sessions sessions) {
    try (io.github.loragraph.evaluation.Predictor untrained =
        new io.github.loragraph.evaluation.Predictor(
            encoder.answer().answering(), data.padId(), sessions)) {
      if (measure != null) {
        documentVectors = untrained.logits(documents);
      }
      return untrained.logits(groups.texts());
    }
  }

  /** An encoder of queries is trained further: an index of its documents stays, too. */
  private float[][] vectorsOf(DocumentModel documentModel, Sessions sessions) {
    documentModel
        .obstacle()
        .ifPresent(
            why -> {
              throw new LoraGraphException(
                  "%s was trained on the query side, and %s, which embeds its documents, %s: put it back"
                      .formatted(model.shown(), documentModel.file(), why));
            });
    notes.accept(
        "%s was trained on the query side: its documents are embedded by %s"
            .formatted(model.shown(), documentModel.file()));
    Model other = Model.open(documentModel.file()).withNotes(notes);
    try (ModelData encoder =
        ModelData.ofEmbedding(
            other.files(), other.graph(), config, data.maxLength(), notes, shapes)) {
      if (encoder.outputs() != data.outputs()) {
        throw new LoraGraphException(
            "%s embeds texts as %,d numbers, and %s as %,d: it is another model's"
                .formatted(documentModel.file(), encoder.outputs(), model.shown(), data.outputs()));
      }
      return vectorsOf(encoder, sessions);
    }
  }

  @Override
  public OnnxModel noted(OnnxModel trained) {
    return documentModel == null
        ? DocumentModel.removeFrom(trained)
        : documentModel.noteIn(trained);
  }

  @Override
  public Optional<Measurement> measurement() {
    return Optional.ofNullable(measure)
        .map(
            m ->
                classifier ->
                    m.report(evaluator.logits(classifier, queries), documentVectors(classifier)));
  }

  private float[][] documentVectors(Classifier classifier) {
    float[][] fixed = documentVectors;
    return fixed == null ? evaluator.logits(classifier, documents) : fixed;
  }

  @Override
  public List<String> remarks() {
    return List.of();
  }

  @Override
  public RunDefaults defaults(Dataset training, ModelData read) {
    Map<String, @Nullable String> columns = training.columns();
    return new RunDefaults(
        columns.get("textColumn"),
        columns.get("textPairColumn"),
        columns.get("labelColumn"),
        null,
        read.task(),
        read.maxLength(),
        config.asAsked(),
        documentModel);
  }

  @Override
  public boolean isOfSingleTexts() {
    return false;
  }

  /** The anchors, then the other texts. */
  @Override
  public List<Example> texts() {
    return Stream.concat(groups.anchors().stream(), groups.texts().stream()).toList();
  }

  @Override
  public List<Example> textsEval() {
    return Stream.concat(queries.stream(), documents.stream()).toList();
  }

  @Override
  public int sizeEval() {
    return queries.size();
  }

  @Override
  public int truncated() {
    return truncated;
  }

  @Override
  public int truncatedEval() {
    return truncatedEval;
  }
}
