package io.github.loragraph.task;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Loss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Two or more numbers for each example: the mean squared error over all of them, as transformers
 * have it for the {@code problem_type} regression with several labels. A label is a JSON array of
 * numbers, or numbers divided by commas, one for each name of the head; the target has them in that
 * order.
 */
final class MultioutputRegressionTask extends Task {
  private static final Logits.Form NUMBERS =
      new Logits.Form(
          "multioutput-regression",
          "(batch, numbers)",
          true,
          logits -> logits.rank() == 2 && logits.width() > 1);

  MultioutputRegressionTask() {
    super("multioutput-regression", "multioutput-mse", NUMBERS, "regression");
  }

  @Override
  public List<String> figureNames() {
    return List.of("loss", "pearson", "spearman", "meanAbsoluteError");
  }

  @Override
  public Loss loss(LossOptions options, List<Example> examples) {
    refuseOptions(options);
    return new MeanSquaredErrors();
  }

  /** Logits and labels are (batch, numbers). */
  private record MeanSquaredErrors() implements Loss {
    @Override
    public List<Logits.Form> forms() {
      return List.of(NUMBERS);
    }

    @Override
    public ValueInfo labels(TensorType logits) {
      return ValueInfo.of(LABELS, logits);
    }

    @Override
    public String emit(GraphBuilder b, String logits, TensorType type) {
      String error = b.sub(logits, LABELS);
      return b.reduce("ReduceMean", b.mul(error, error), "", false);
    }
  }

  @Override
  protected Values target(Row row, LabelSet labels) {
    List<String> entries = entries(row);
    if (entries.size() != labels.size()) {
      throw new LoraGraphException(
          "%s has the label '%s' of %d numbers, and the model answers %d: give one for each of %s"
              .formatted(row.place(), LabelList.shown(row), entries.size(), labels.size(), labels));
    }
    float[] target = new float[entries.size()];
    for (int i = 0; i < target.length; i++) {
      target[i] = LabelNumber.of(row, entries.get(i));
    }
    return Values.of(target);
  }

  private static List<String> entries(Row row) {
    return row.requireLabel().startsWith("[")
        ? LabelList.required(row, "numbers").stream().map(entry -> entry.asText()).toList()
        : Arrays.stream(row.requireLabel().split(",", -1)).map(String::strip).toList();
  }

  @Override
  public Report report(float[][] logits, List<Example> examples, int outputs) {
    List<RegressionReport> numbers = new ArrayList<>();
    for (int n = 0; n < outputs; n++) {
      int number = n;
      numbers.add(
          RegressionReport.of(
              Arrays.stream(logits).mapToDouble(row -> row[number]).toArray(),
              examples.stream().mapToDouble(e -> e.requireTarget().get(number)).toArray()));
    }
    return new Figures(examples.size(), numbers);
  }

  /** Those of a regression for each number, and their means. */
  private record Figures(int examples, List<RegressionReport> numbers) implements Report {
    @Override
    public double loss() {
      return mean(RegressionReport::loss);
    }

    /** Over the numbers for which it is defined; NaN where it is for none. */
    private double mean(ToDoubleFunction<RegressionReport> figure) {
      return numbers.stream()
          .mapToDouble(figure)
          .filter(value -> !Double.isNaN(value))
          .average()
          .orElse(Double.NaN);
    }

    @Override
    public String scoreName() {
      return "pearson";
    }

    @Override
    public Map<String, Double> figures() {
      Map<String, Double> figures = new LinkedHashMap<>();
      figures.put("loss", loss());
      figures.put("pearson", mean(RegressionReport::pearson));
      figures.put("spearman", mean(RegressionReport::spearman));
      figures.put("meanAbsoluteError", mean(RegressionReport::meanAbsoluteError));
      return figures;
    }

    @Override
    public Map<String, Object> details(List<String> names) {
      List<Map<String, Object>> entries = new ArrayList<>();
      for (int n = 0; n < numbers.size(); n++) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("label", names.get(n));
        entry.putAll(numbers.get(n).finiteFigures());
        entries.add(entry);
      }
      return Map.of("numbers", entries);
    }

    @Override
    public List<String> remarks(List<String> names) {
      List<String> constant =
          IntStream.range(0, numbers.size())
              .filter(n -> Double.isNaN(numbers.get(n).pearson()))
              .mapToObj(names::get)
              .toList();
      return constant.isEmpty()
          ? List.of()
          : List.of(
              "pearson and spearman are the mean of %d of %d numbers; labels or answers do not vary: %s"
                  .formatted(
                      numbers.size() - constant.size(), numbers.size(), new LabelSet(constant)));
    }

    @Override
    public List<Table> tables(List<String> names) {
      List<List<Object>> rows = new ArrayList<>();
      for (int n = 0; n < numbers.size(); n++) {
        RegressionReport r = numbers.get(n);
        rows.add(List.of(names.get(n), r.loss(), r.meanAbsoluteError(), r.pearson(), r.spearman()));
      }
      return List.of(new Table(List.of("number", "MSE", "MAE", "pearson", "spearman"), rows));
    }
  }

  @Override
  protected Prediction prediction(float[] logits, List<String> names) {
    Map<String, Double> values = new LinkedHashMap<>();
    for (int n = 0; n < logits.length; n++) {
      values.put(names.get(n), (double) logits[n]);
    }
    return new Numbers(values);
  }

  /** The numbers by their names. */
  private record Numbers(Map<String, Double> values) implements Prediction {
    @Override
    public Map<String, Object> columns(List<String> tokens) {
      Map<String, Object> columns = new LinkedHashMap<>();
      values.forEach((name, value) -> columns.put("predicted_" + name, value.floatValue()));
      return columns;
    }

    @Override
    public Map<String, Object> json(List<String> tokens) {
      Map<String, Object> json = new LinkedHashMap<>();
      values.forEach((name, value) -> json.put(name, value.floatValue()));
      return Map.of("values", json);
    }

    @Override
    public List<List<String>> lines(List<String> texts, List<String> tokens) {
      List<String> line = new ArrayList<>();
      values.values().forEach(value -> line.add(String.format(Locale.ROOT, "%.4f", value)));
      line.addAll(texts);
      return List.of(line);
    }
  }

  @Override
  protected List<Mistake> mistakes(
      int number, float[] logits, Example example, List<String> names) {
    float[] target = example.requireTarget().toFloats();
    double squares = 0;
    for (int n = 0; n < target.length; n++) {
      squares += ((double) logits[n] - target[n]) * ((double) logits[n] - target[n]);
    }
    return squares == 0
        ? List.of()
        : List.of(new Mistake(number, -1, joined(target), joined(logits), squares / target.length));
  }

  private static String joined(float[] numbers) {
    return IntStream.range(0, numbers.length)
        .mapToObj(n -> Float.toString(numbers[n]))
        .collect(Collectors.joining(","));
  }

  @Override
  public Optional<String> refusalOf(List<String> names) {
    return names.size() > 1
        ? Optional.empty()
        : Optional.of("one number is a regression: name two or more");
  }

  /** As many as the first row has, named as transformers name logits without names. */
  @Override
  public LabelSet labelsOf(List<Row> rows) {
    int numbers = entries(rows.get(0)).size();
    List<String> names = IntStream.range(0, numbers).mapToObj(n -> "LABEL_" + n).toList();
    LabelSet labels = new LabelSet(names);
    for (Row row : rows) {
      int count = entries(row).size();
      if (count != numbers) {
        throw new LoraGraphException(
            "%s has a label of %d numbers, and %s one of %d: give each row as many"
                .formatted(row.place(), count, rows.get(0).place(), numbers));
      }
      target(row, labels);
    }
    return labels;
  }

  @Override
  public String describe(LabelSet labels) {
    return "%d numbers: %s".formatted(labels.size(), labels);
  }
}
