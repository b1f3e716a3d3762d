package io.github.loragraph.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.Prediction;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Answers as fields of a data file, and as JSON. */
final class PredictionFields {
  private static final ObjectMapper JSON = new ObjectMapper();

  private PredictionFields() {}

  static JsonNode text(String text) {
    return TextNode.valueOf(text);
  }

  /**
   * The fields of a row with those of its answer.
   *
   * @param tokens the texts of the tokens, where each has its answer
   * @throws LoraGraphException if the row has a field of such a name already
   */
  static Map<String, JsonNode> of(
      Map<String, JsonNode> row, Prediction answer, List<String> tokens, Path target) {
    Map<String, JsonNode> fields = new LinkedHashMap<>(row);
    predicted(answer, tokens)
        .forEach(
            (name, value) -> {
              if (fields.putIfAbsent(name, JSON.valueToTree(value)) != null) {
                throw new LoraGraphException(
                    "%s cannot be written: the data has a column '%s' already; give it another name"
                        .formatted(target, name));
              }
            });
    return fields;
  }

  private static Map<String, Object> predicted(Prediction answer, List<String> tokens) {
    Map<String, Object> fields = new LinkedHashMap<>();
    if (!answer.tokens().isEmpty()) {
      fields.put("predicted_tokens", tokens);
      fields.put("predicted_labels", answer.tokens().stream().map(Prediction::label).toList());
    } else if (answer.probabilities().isEmpty()) {
      fields.put("predicted_value", (float) answer.value());
    } else {
      if (answer.several()) {
        fields.put("predicted_labels", answer.labels());
      } else {
        fields.put("predicted_label", answer.label());
        fields.put("predicted_probability", answer.probability(answer.label()));
      }
      answer.probabilities().forEach((name, p) -> fields.put("probability_" + name, p));
    }
    return fields;
  }

  /** As {@code --json} has an answer. */
  static void json(Map<String, Object> entry, Prediction answer, List<String> tokens) {
    if (!answer.tokens().isEmpty()) {
      List<Map<String, Object>> list = new ArrayList<>();
      for (int t = 0; t < tokens.size(); t++) {
        Map<String, Object> token = new LinkedHashMap<>();
        token.put("token", tokens.get(t));
        json(token, answer.tokens().get(t), List.of());
        list.add(token);
      }
      entry.put("tokens", list);
    } else if (answer.probabilities().isEmpty()) {
      entry.put("value", (float) answer.value());
    } else if (answer.several()) {
      entry.put("labels", answer.labels());
      entry.put("probabilities", answer.probabilities());
    } else {
      entry.put("label", answer.label());
      entry.put("probability", answer.probability(answer.label()));
      entry.put("probabilities", answer.probabilities());
    }
  }
}
