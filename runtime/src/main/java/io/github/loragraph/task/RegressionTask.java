package io.github.loragraph.task;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.Values;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.MeanSquaredErrorLoss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/** One number for each example: mean squared error. A label is a number, the target a scalar. */
final class RegressionTask extends Task {
  RegressionTask() {
    super("regression", "mse", Logits.Form.NUMBER, "regression");
  }

  @Override
  public List<String> figureNames() {
    return List.of("loss", "pearson", "spearman", "meanAbsoluteError");
  }

  @Override
  public Loss loss(LossOptions options, List<Example> examples) {
    refuseOptions(options);
    return new MeanSquaredErrorLoss();
  }

  @Override
  protected Values target(Row row, LabelSet labels) {
    return Values.scalar(LabelNumber.of(row, row.requireLabel()));
  }

  @Override
  public Report report(float[][] logits, List<Example> examples, int outputs) {
    return RegressionReport.of(
        Arrays.stream(logits).mapToDouble(row -> row[0]).toArray(),
        examples.stream().mapToDouble(Example::label).toArray());
  }

  @Override
  protected Prediction prediction(float[] logits, List<String> names) {
    return new OneNumber(logits[0]);
  }

  /** The number. */
  private record OneNumber(double number) implements Prediction {
    @Override
    public OptionalDouble value() {
      return OptionalDouble.of(number);
    }

    @Override
    public Map<String, Object> columns(List<String> tokens) {
      return Map.of("predicted_value", (float) number);
    }

    @Override
    public Map<String, Object> json(List<String> tokens) {
      return Map.of("value", (float) number);
    }

    @Override
    public List<List<String>> lines(List<String> texts, List<String> tokens) {
      List<String> line = new ArrayList<>();
      line.add(String.format(Locale.ROOT, "%.4f", number));
      line.addAll(texts);
      return List.of(line);
    }
  }

  @Override
  protected List<Mistake> mistakes(
      int number, float[] logits, Example example, List<String> names) {
    double error = logits[0] - example.label();
    return error == 0
        ? List.of()
        : List.of(
            new Mistake(
                number,
                -1,
                Float.toString((float) example.label()),
                Float.toString(logits[0]),
                error * error));
  }

  /** One, named as transformers name the logits of a model without names. */
  @Override
  public Optional<LabelSet> fixedLabels() {
    return Optional.of(new LabelSet(List.of("LABEL_0")));
  }

  @Override
  public LabelSet labelsOf(List<Row> rows) {
    return fixedLabels().orElseThrow();
  }

  @Override
  public String describe(LabelSet labels) {
    return "one number";
  }
}
