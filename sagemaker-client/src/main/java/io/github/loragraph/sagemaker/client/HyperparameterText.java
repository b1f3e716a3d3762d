package io.github.loragraph.sagemaker.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.sagemaker.HyperparameterJson;
import java.util.List;
import java.util.Map;

/**
 * Values of settings as hyperparameters, which are texts that a container reads as JSON where they
 * are JSON, and else as they stand.
 */
final class HyperparameterText {
  private static final ObjectMapper JSON = new ObjectMapper();

  private HyperparameterText() {}

  /**
   * One value, or several as a list.
   *
   * @param text what the service takes
   * @throws LoraGraphException if a container would read another value, or the service takes none
   *     like it
   */
  static String of(List<String> values, ServiceText text) {
    return text.require(values.size() == 1 ? single(values.get(0), text) : json(values));
  }

  /** Texts and lists of them by their names. */
  static String ofMap(Map<String, Object> values) {
    return ServiceText.HYPERPARAMETER.require(json(values));
  }

  private static String single(String value, ServiceText text) {
    // Empty texts, and those of several lines, are texts in JSON alone.
    if (value.isBlank() || !text.isForm(value)) {
      return json(value);
    }
    if (!HyperparameterJson.isAsItStands(value)) {
      throw new LoraGraphException(
          "'%s' would be read as JSON, as hyperparameters are: write it in another way"
              .formatted(value));
    }
    return value;
  }

  private static String json(Object value) {
    try {
      return JSON.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
