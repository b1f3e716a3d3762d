package io.github.loragraph.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.task.Prediction;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Answers as fields of a data file. */
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
    answer
        .columns(tokens)
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
}
