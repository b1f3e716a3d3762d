package io.github.loragraph.task;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.training.BinaryCrossEntropyLoss;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Loss;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Any number of classes for each example: binary cross-entropy over examples and classes. A label
 * is a JSON array of names, or of one 0 or 1 for each class; divided by commas, too. The target has
 * 1 or 0 for each class.
 */
final class MultilabelTask extends Task {
  /** Null for a half for each class. */
  private final @Nullable Thresholds thresholds;

  private static final Pattern FLAG = Pattern.compile("[01](\\.0+)?");

  MultilabelTask() {
    this(null);
  }

  private MultilabelTask(@Nullable Thresholds thresholds) {
    super("multilabel", "bce", Logits.Form.CLASS_SET, "multi_label_classification");
    this.thresholds = thresholds;
  }

  @Override
  public List<String> figureNames() {
    return List.of("loss", "accuracy", "microF1", "macroF1", "weightedF1");
  }

  @Override
  public boolean hasThresholds() {
    return true;
  }

  @Override
  public Task with(Thresholds others) {
    return new MultilabelTask(others);
  }

  @Override
  public Thresholds fitThresholds(float[][] logits, List<Example> examples) {
    return Thresholds.fit(logits, targets(examples));
  }

  private static float[][] targets(List<Example> examples) {
    return examples.stream().map(e -> e.requireTarget().toFloats()).toArray(float[][]::new);
  }

  private Thresholds thresholds(int classes) {
    return thresholds == null ? Thresholds.half(classes) : thresholds;
  }

  @Override
  public Loss loss(LossOptions options, List<Example> examples) {
    refuseOptions(options);
    return new BinaryCrossEntropyLoss();
  }

  @Override
  protected Values target(Row row, LabelSet labels) {
    float[] target = new float[labels.size()];
    List<JsonNode> entries =
        row.requireLabel().startsWith("[")
            ? LabelList.required(row, "names or numbers")
            : LabelList.names(row.requireLabel()).stream()
                .<JsonNode>map(TextNode::valueOf)
                .toList();
    if (areFlags(row, entries, labels)) {
      for (int i = 0; i < target.length; i++) {
        target[i] = (float) entries.get(i).asDouble();
      }
    } else {
      entries.forEach(name -> target[Classes.index(row, name.asText(), labels)] = 1);
    }
    return Values.of(target);
  }

  /**
   * Whether a list says 0 or 1 for each class: in numbers, or in text where that names no class.
   *
   * @throws LoraGraphException if it can be nothing else, and has more or fewer entries than there
   *     are classes: a set has no member twice
   */
  private static boolean areFlags(Row row, List<JsonNode> entries, LabelSet labels) {
    boolean flags =
        entries.stream()
            .allMatch(
                entry ->
                    FLAG.matcher(entry.asText()).matches()
                        && (entry.isNumber() || !labels.names().contains(entry.asText())));
    if (!flags || entries.size() == labels.size()) {
      return flags;
    }
    if (entries.stream().map(JsonNode::asDouble).distinct().count() < entries.size()) {
      throw new LoraGraphException(
          "%s has the label '%s' of %d numbers, and the model has %d classes: give 0 or 1 for each, or the names of those that apply"
              .formatted(row.place(), LabelList.shown(row), entries.size(), labels.size()));
    }
    return false;
  }

  @Override
  public Report report(float[][] logits, List<Example> examples, int outputs) {
    return MultilabelReport.of(logits, targets(examples), thresholds(outputs));
  }

  @Override
  protected Prediction prediction(float[] logits, List<String> names) {
    Thresholds deciding = thresholds(logits.length);
    Map<String, Double> probabilities = new LinkedHashMap<>();
    List<String> labels = new ArrayList<>();
    for (int c = 0; c < logits.length; c++) {
      probabilities.put(names.get(c), Probabilities.sigmoid(logits[c]));
      if (deciding.reaches(c, logits[c])) {
        labels.add(names.get(c));
      }
    }
    return new ClassSet(labels, probabilities);
  }

  /** The classes that reach their thresholds, and the probabilities of all. */
  private record ClassSet(List<String> labels, Map<String, Double> probabilities)
      implements Prediction {
    @Override
    public Map<String, Object> columns(List<String> tokens) {
      Map<String, Object> columns = new LinkedHashMap<>();
      columns.put("predicted_labels", labels);
      probabilities.forEach((name, p) -> columns.put("probability_" + name, p));
      return columns;
    }

    @Override
    public Map<String, Object> json(List<String> tokens) {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("labels", labels);
      json.put("probabilities", probabilities);
      return json;
    }

    @Override
    public List<List<String>> lines(List<String> texts, List<String> tokens) {
      List<String> line = new ArrayList<>();
      if (labels.isEmpty()) {
        line.addAll(List.of("-", "-"));
      } else {
        line.add(String.join(",", labels));
        line.add(
            labels.stream()
                .map(label -> String.format(Locale.ROOT, "%.4f", probability(label)))
                .collect(Collectors.joining(",")));
      }
      line.addAll(texts);
      return List.of(line);
    }
  }

  @Override
  protected List<Mistake> mistakes(
      int number, float[] logits, Example example, List<String> names) {
    Thresholds deciding = thresholds(logits.length);
    List<String> labels = new ArrayList<>();
    List<String> answers = new ArrayList<>();
    double loss = 0;
    for (int c = 0; c < logits.length; c++) {
      double target = example.requireTarget().get(c);
      if (target >= 0.5) {
        labels.add(names.get(c));
      }
      if (deciding.reaches(c, logits[c])) {
        answers.add(names.get(c));
      }
      loss += Probabilities.softplus(logits[c]) - logits[c] * target;
    }
    return labels.equals(answers)
        ? List.of()
        : List.of(
            new Mistake(
                number,
                -1,
                String.join(",", labels),
                String.join(",", answers),
                loss / logits.length));
  }

  /** The classes that apply; numbers for each class as they stand. */
  @Override
  public List<String> labelsIn(Row row) {
    List<String> names = LabelList.names(row.requireLabel());
    return names.size() > 1 && names.stream().allMatch(name -> FLAG.matcher(name).matches())
        ? List.of(row.requireLabel())
        : names;
  }

  @Override
  public LabelSet labelsOf(List<Row> rows) {
    return LabelSet.of(rows, row -> Classes.names(LabelList.names(row.requireLabel())));
  }

  @Override
  public String describe(LabelSet labels) {
    return Classes.describe(labels);
  }

  @Override
  public List<String> absent(List<Example> examples, List<String> names) {
    BitSet present = new BitSet();
    for (Example example : examples) {
      for (int c = 0; c < example.requireTarget().count(); c++) {
        present.set(c, present.get(c) || example.requireTarget().get(c) > 0);
      }
    }
    return Classes.absent(present, names);
  }
}
