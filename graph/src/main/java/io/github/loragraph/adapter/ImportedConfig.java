package io.github.loragraph.adapter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.onnx.OnnxModel;
import java.util.Optional;

/**
 * What a model remembers of the adapter that was imported into it: PEFT's configuration, with all
 * that lora-graph has no use for, and how the paths differ. It stands in the model's metadata under
 * {@link LoraMetadata#PEFT_KEY}, so that the adapter goes out as it came in.
 *
 * @param config as it was read
 * @param prefix between the adapter's paths and the model's
 */
record ImportedConfig(PeftConfig config, PathPrefix prefix) {
  private static final JsonMapper JSON = new JsonMapper();
  private static final String CONFIG = "config";
  private static final String ADAPTER_PREFIX = "adapterPrefix";
  private static final String MODEL_PREFIX = "modelPrefix";

  /**
   * What a model remembers.
   *
   * @throws LoraGraphException if it is malformed
   */
  static Optional<ImportedConfig> of(OnnxModel model) {
    String text = model.metadata().get(LoraMetadata.PEFT_KEY);
    if (text == null) {
      return Optional.empty();
    }
    try {
      JsonNode tree = JSON.readTree(text);
      PeftConfig config = PeftConfig.parse(tree.path(CONFIG).toString());
      return Optional.of(
          new ImportedConfig(
              config,
              new PathPrefix(
                  tree.path(ADAPTER_PREFIX).asText(""), tree.path(MODEL_PREFIX).asText(""))));
    } catch (JsonProcessingException | LoraGraphException e) {
      throw new LoraGraphException(
          "the model's '%s' metadata is malformed: import the adapter again"
              .formatted(LoraMetadata.PEFT_KEY),
          e);
    }
  }

  /** The same model with this in its metadata. */
  OnnxModel putInto(OnnxModel model) {
    try {
      ObjectNode tree = JSON.createObjectNode();
      tree.set(CONFIG, JSON.readTree(config.toJson()));
      tree.put(ADAPTER_PREFIX, prefix.adapter()).put(MODEL_PREFIX, prefix.model());
      return model.withMetadata(LoraMetadata.PEFT_KEY, JSON.writeValueAsString(tree));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
