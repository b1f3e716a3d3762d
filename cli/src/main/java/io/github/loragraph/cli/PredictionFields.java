package io.github.loragraph.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.Prediction;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Answers as fields of a data file. */
final class PredictionFields {
  private static final ObjectMapper JSON = new ObjectMapper();

  private PredictionFields() {}

  /**
   * The fields of a row with those of its answer.
   *
   * @throws LoraGraphException if the row has a field of such a name already
   */
  static Map<String, JsonNode> of(Map<String, Object> row, Prediction answer, Path target) {
    Map<String, JsonNode> fields = new LinkedHashMap<>();
    row.forEach((name, value) -> fields.put(name, JSON.valueToTree(value)));
    answer
        .columns()
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
