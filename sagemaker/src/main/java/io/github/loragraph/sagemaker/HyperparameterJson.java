package io.github.loragraph.sagemaker;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;

/** How a container reads the text of a hyperparameter: as JSON where all of it is JSON. */
public final class HyperparameterJson {
  private HyperparameterJson() {}

  /**
   * What a text says; empty where it is read as it stands. So are numbers: 4e-4 is not
   * 0.00040000000000000002.
   */
  static Optional<JsonNode> read(String text) {
    return JsonFile.parse(text).filter(node -> !node.isNumber());
  }

  /** Whether the value that is read is the text itself. */
  public static boolean isAsItStands(String text) {
    return read(text).map(node -> node.isBoolean() && node.asText().equals(text)).orElse(true);
  }
}
