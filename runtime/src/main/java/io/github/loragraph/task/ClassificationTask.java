package io.github.loragraph.task;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Loss;
import java.util.List;
import java.util.Optional;

/**
 * One class for each example: cross-entropy over the classes. A label is a name or a number of a
 * class, or {@value CrossEntropyLoss#IGNORE_INDEX} for an example that counts nothing; the target
 * is a scalar.
 */
final class ClassificationTask extends Task {
  ClassificationTask() {
    super("classification", "cross-entropy", Logits.Form.CLASSES, "single_label_classification");
  }

  @Override
  public List<String> figureNames() {
    return List.of("loss", "accuracy", "macroF1", "weightedF1", "matthews");
  }

  @Override
  public Loss loss(LossOptions options, List<Example> examples) {
    nameOf(options);
    boolean ignores = examples.stream().anyMatch(e -> e.label() == CrossEntropyLoss.IGNORE_INDEX);
    return new CrossEntropyLoss(
        options.labelSmoothing(),
        options.classWeights(),
        ignores ? CrossEntropyLoss.IGNORE_INDEX : null);
  }

  @Override
  protected Values target(Row row, LabelSet labels) {
    return Values.scalar(Classes.indexOrIgnored(row, row.requireLabel(), labels));
  }

  @Override
  public Report report(float[][] logits, List<Example> examples, int outputs) {
    return ClassificationReport.of(
        logits, examples.stream().mapToLong(e -> (long) e.label()).toArray());
  }

  @Override
  protected Prediction prediction(float[] logits, List<String> names) {
    return ClassPrediction.of(logits, names);
  }

  @Override
  protected List<Mistake> mistakes(
      int number, float[] logits, Example example, List<String> names) {
    return Classes.mistake(number, -1, logits, example.label(), names).stream().toList();
  }

  @Override
  public Optional<String> refusalOf(List<String> names) {
    return names.size() > 1
        ? Optional.empty()
        : Optional.of("one class is nothing to choose from: name two or more");
  }

  @Override
  public LabelSet labelsOf(List<Row> rows) {
    return LabelSet.of(
        rows,
        row -> {
          if (row.requireLabel().startsWith("[")) {
            throw new LoraGraphException(
                row.place() + " has a list of labels", Remedy.CHOOSE_MULTILABEL);
          }
          return Classes.names(List.of(row.requireLabel()));
        });
  }

  @Override
  public String describe(LabelSet labels) {
    return Classes.describe(labels);
  }

  @Override
  public List<String> absent(List<Example> examples, List<String> names) {
    return Classes.absent(examples, names);
  }
}
