package io.github.loragraph;

import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.models.ClassificationHead;
import io.github.loragraph.models.ModelConfig;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.training.LanguageModelHead;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Puts heads on models. */
final class Heads {
  /** More classes than people usually have. */
  private static final int MANY = 10;

  private Heads() {}

  static Model add(Model encoder, HeadConfig head, Consumer<String> notes) {
    LabelSet classes = classes(head, notes);
    for (List<String> alike : classes.lookalikes()) {
      notes.accept(
          "two classes with names that are alike: '%s' and '%s'".formatted(alike.toArray()));
    }
    ShapeInference inference = new SessionShapeInference(RuntimeBuild.any());
    OnnxModel below = statesOf(encoder, inference, notes);
    OnnxModel classifier =
        head.task().internal().answersTokens()
            ? ClassificationHead.addToTokens(below, classes.size(), head.seed(), inference)
            : ClassificationHead.add(
                below,
                classes.size(),
                ClassificationHead.Pooling.valueOf(head.pooling().name()),
                head.seed(),
                inference);
    classifier = trainedWithAdapters(encoder.graph(), classifier, notes);
    ModelConfig config = encoder.files().config().withLabels(classes);
    if (!head.task().equals(Task.CLASSIFICATION)) {
      String problemType = head.task().internal().problemType().orElse(null);
      config = problemType == null ? config : config.withProblemType(problemType);
    }
    return encoder.withHead(classifier, config);
  }

  /** The model, without the head of its pretraining where it has one. */
  private static OnnxModel statesOf(
      Model encoder, ShapeInference inference, Consumer<String> notes) {
    if (encoder.outputName().isPresent()) {
      return encoder.graph();
    }
    Optional<OnnxModel> states =
        encoder.graph().namingFile(() -> LanguageModelHead.dropFrom(encoder.graph(), inference));
    states.ifPresent(
        model -> notes.accept("the language-model head is dropped: the new head takes its place"));
    return states.orElse(encoder.graph());
  }

  /** A head that comes after the adapters is trained with them, as one that was there before is. */
  private static OnnxModel trainedWithAdapters(
      OnnxModel encoder, OnnxModel classifier, Consumer<String> notes) {
    Optional<LoraMetadata> adapters = LoraMetadata.of(encoder);
    if (adapters.isEmpty()) {
      return classifier;
    }
    LoraMetadata metadata = adapters.get().withHead(encoder, classifier);
    int dropped = adapters.get().targets().size() - metadata.targets().size();
    if (metadata.targets().isEmpty()) {
      throw new LoraGraphException(
          "the head would take the place of all adapters, which lie behind what it reads: put the"
              + " head on first, and the adapters on that");
    }
    if (dropped > 0) {
      notes.accept(
          "%d of %d adapters are dropped: they lie behind what the head reads"
              .formatted(dropped, adapters.get().targets().size()));
    }
    return metadata.putInto(classifier);
  }

  private static LabelSet classes(HeadConfig head, Consumer<String> notes) {
    Optional<LabelSet> fixed = head.task().internal().fixedLabels();
    if (fixed.isPresent()) {
      return fixed.get();
    }
    if (head.labelsFrom().isEmpty()) {
      return new LabelSet(head.labels().stream().map(String::strip).toList());
    }
    Dataset data = head.labelsFrom().get();
    List<Row> rows = data.labels(notes);
    for (Row row : rows) {
      if (row.label() == null || row.label().isEmpty()) {
        throw new LoraGraphException(row.place() + " has no label: mend the example");
      }
    }
    LabelSet classes = head.task().internal().labelsOf(rows, notes);
    if (classes.size() == 0) {
      throw new LoraGraphException(data.name() + " has no labels: name their column");
    }
    if (classes.size() > MANY && classes.size() * 2 > rows.size()) {
      notes.accept(
          "%,d different labels in %,d rows: is that column the right one?"
              .formatted(classes.size(), rows.size()));
    }
    return classes;
  }
}
