package io.github.loragraph.task;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The class with the largest probability, and the probabilities of all. */
record ClassPrediction(List<String> labels, Map<String, Double> probabilities)
    implements Prediction {
  /** The answer that logits are, one for each class. */
  static ClassPrediction of(float[] logits, List<String> names) {
    double[] softmax = Probabilities.softmax(logits);
    Map<String, Double> probabilities = new LinkedHashMap<>();
    for (int c = 0; c < softmax.length; c++) {
      probabilities.put(names.get(c), softmax[c]);
    }
    return new ClassPrediction(List.of(names.get(Probabilities.argMax(logits))), probabilities);
  }

  @Override
  public Optional<String> label() {
    return Optional.of(first());
  }

  private String first() {
    return labels.get(0);
  }

  private double probability() {
    return probability(first());
  }

  @Override
  public Map<String, Object> columns(List<String> tokens) {
    Map<String, Object> columns = new LinkedHashMap<>();
    columns.put("predicted_label", first());
    columns.put("predicted_probability", probability());
    probabilities.forEach((name, p) -> columns.put("probability_" + name, p));
    return columns;
  }

  @Override
  public Map<String, Object> json(List<String> tokens) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("label", first());
    json.put("probability", probability());
    json.put("probabilities", probabilities);
    return json;
  }

  @Override
  public List<List<String>> lines(List<String> texts, List<String> tokens) {
    List<String> line = new ArrayList<>();
    line.add(first());
    line.add(String.format(Locale.ROOT, "%.4f", probability()));
    line.addAll(texts);
    return List.of(line);
  }
}
