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
import io.github.loragraph.models.EmbeddingConfig;
import io.github.loragraph.models.ModelData;
import io.github.loragraph.models.RunDefaults;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.retrieval.EmbeddingMeasure;
import io.github.loragraph.trainer.TrainedGraph;
import io.github.loragraph.trainer.TrainingData;
import io.github.loragraph.trainer.TrainingJob;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.Towers;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Groups of texts, of which an encoder learns what is near to what. */
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

  /** Of the documents that are measured with, where they stay as they are; else null. */
  private float @Nullable [][] documentVectors;

  EmbeddingLesson(
      Model model,
      ModelData data,
      EmbeddingConfig config,
      Dataset training,
      Optional<Dataset> heldOut,
      TrainingArguments arguments,
      TrainingNotes notes) {
    this.data = data;
    this.model = model;
    this.config = config;
    this.arguments = arguments;
    this.objective = arguments.embeddingLoss().internal();
    this.notes = notes;
    refuseOtherOptions();
    List<TextGroup> all = training.groups(RunDefaults.NONE, notes);
    List<TextGroup> sampled = arguments.sample(all);
    this.size = sampled.size();
    ExampleEncoder encoder = data.encoder();
    this.groups =
        new GroupExamples(
            sampled, encoder, config.queryPrefix(), config.documentPrefix(), data.padId());
    this.truncated = encoder.cut();
    data.tellCut(training.name(), truncated, (long) sampled.size() * (groups.most() + 1));
    objective.requireFitting(groups.most(), data.outputs());
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
    this.measure = heldOut.map(set -> set.measure(RunDefaults.NONE, notes)).orElse(null);
    ExampleEncoder measured = data.encoder();
    this.queries =
        measure == null ? List.of() : encoded(measured, measure.queries(), config.queryPrefix());
    this.documents =
        measure == null
            ? List.of()
            : encoded(measured, measure.documents(), config.documentPrefix());
    this.truncatedEval = measured.cut();
    heldOut.ifPresent(
        set -> data.tellCut(set.name(), truncatedEval, queries.size() + documents.size()));
  }

  private static List<Example> encoded(ExampleEncoder encoder, List<Row> rows, String prefix) {
    return encoder.withoutLabels(rows.stream().map(row -> row.beginningWith(prefix)).toList());
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

  private static Tensor tensor(float[][] vectors) {
    if (vectors.length > MOST_VECTORS) {
      throw new LoraGraphException(
          "the data has %,d different texts beside the anchors, and a training of the query side compares with %,d at most: take fewer"
              .formatted(vectors.length, MOST_VECTORS));
    }
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
    try (io.github.loragraph.evaluation.Predictor untrained =
        new io.github.loragraph.evaluation.Predictor(
            data.answer().answering(), data.padId(), sessions)) {
      if (measure != null) {
        documentVectors = untrained.logits(documents);
      }
      return untrained.logits(groups.texts());
    }
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
        arguments.trainsQuerySide() ? model.file() : null);
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
