package io.github.loragraph.evaluation;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.ExampleEncoder;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.training.BinaryCrossEntropyLoss;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.MeanSquaredErrorLoss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What a model is to answer: decides how labels are read, the loss, and how well it does. */
public enum Task {
  /** One class for each example. */
  CLASSIFICATION("single_label_classification", Logits.Form.CLASSES),
  /** One number for each example. */
  REGRESSION("regression", Logits.Form.NUMBER),
  /** Any number of classes for each example. */
  MULTILABEL("multi_label_classification", Logits.Form.CLASS_SET),
  /** One class for each token. */
  TOKEN_CLASSIFICATION(null, Logits.Form.TOKEN_CLASSES);

  private final String problemType;
  private final Logits.Form form;

  Task(String problemType, Logits.Form form) {
    this.problemType = problemType;
    this.form = form;
  }

  /** What {@code config.json} calls it under {@code problem_type}; empty where it has no word. */
  public Optional<String> problemType() {
    return Optional.ofNullable(problemType);
  }

  /**
   * The task that {@code problem_type} of {@code config.json} states; empty where it states none.
   *
   * @throws LoraGraphException if the statement is none that transformers know
   */
  public static Optional<Task> stated(Optional<String> problemType) {
    return problemType.map(
        type ->
            Arrays.stream(values())
                .filter(task -> type.equals(task.problemType))
                .findFirst()
                .orElseThrow(
                    () ->
                        new LoraGraphException(
                            "problem_type '%s' in config.json is not known: name the task with --task"
                                .formatted(type))));
  }

  /** The task whose loss takes logits of a form. */
  static Task of(Logits.Form form) {
    return Arrays.stream(values()).filter(task -> task.form == form).findFirst().orElseThrow();
  }

  /** What the task's loss takes. */
  public Logits.Form form() {
    return form;
  }

  /**
   * The loss that training lessens.
   *
   * @param examples what will be trained on
   * @throws LoraGraphException if the options do not fit the task
   */
  public Loss loss(LossOptions options, List<Example> examples) {
    boolean overClasses = this == CLASSIFICATION || this == TOKEN_CLASSIFICATION;
    if (!overClasses && !options.isPlain()) {
      throw new LoraGraphException(
          "label smoothing and class weights belong to a cross-entropy over classes, not to "
              + this);
    }
    return switch (this) {
      case CLASSIFICATION -> {
        boolean ignores =
            examples.stream().anyMatch(e -> e.label() == CrossEntropyLoss.IGNORE_INDEX);
        yield new CrossEntropyLoss(
            options.labelSmoothing(),
            options.classWeights(),
            ignores ? CrossEntropyLoss.IGNORE_INDEX : null);
      }
      case TOKEN_CLASSIFICATION ->
          new CrossEntropyLoss(
              options.labelSmoothing(), options.classWeights(), CrossEntropyLoss.IGNORE_INDEX);
      case REGRESSION -> new MeanSquaredErrorLoss();
      case MULTILABEL -> new BinaryCrossEntropyLoss();
    };
  }

  /** Encodes rows with their labels. */
  public List<Example> encode(ExampleEncoder encoder, List<Row> rows, LabelSet labels) {
    return switch (this) {
      case CLASSIFICATION -> encoder.withClasses(rows, labels);
      case REGRESSION -> encoder.withNumbers(rows);
      case MULTILABEL -> encoder.withClassSets(rows, labels);
      case TOKEN_CLASSIFICATION -> encoder.withTokenClasses(rows, labels);
    };
  }

  /**
   * Measures answers.
   *
   * @param logits for each example one row, of all its tokens where they have labels
   * @param examples as many, with targets
   * @param outputs the size of the logits' last axis
   */
  public Report report(float[][] logits, List<Example> examples, int outputs) {
    return switch (this) {
      case CLASSIFICATION ->
          ClassificationReport.of(
              logits, examples.stream().mapToLong(e -> (long) e.label()).toArray());
      case TOKEN_CLASSIFICATION -> ofTokens(logits, examples, outputs);
      case MULTILABEL ->
          MultilabelReport.of(
              logits, examples.stream().map(e -> floats(e.target())).toArray(float[][]::new));
      case REGRESSION ->
          RegressionReport.of(
              Arrays.stream(logits).mapToDouble(row -> row[0]).toArray(),
              examples.stream().mapToDouble(Example::label).toArray());
    };
  }

  private static Report ofTokens(float[][] logits, List<Example> examples, int outputs) {
    List<float[]> rows = new ArrayList<>();
    List<Long> labels = new ArrayList<>();
    for (int i = 0; i < logits.length; i++) {
      Values target = examples.get(i).target();
      for (int token = 0; token < target.count(); token++) {
        rows.add(Arrays.copyOfRange(logits[i], token * outputs, (token + 1) * outputs));
        labels.add((long) target.get(token));
      }
    }
    return ClassificationReport.of(
        rows.toArray(float[][]::new), labels.stream().mapToLong(Long::longValue).toArray());
  }

  private static float[] floats(Values values) {
    float[] floats = new float[values.count()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values.get(i);
    }
    return floats;
  }

  /** The name on the command line: {@code token-classification}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
