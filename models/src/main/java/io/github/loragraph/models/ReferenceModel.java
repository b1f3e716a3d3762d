package io.github.loragraph.models;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.OnnxModel;
import java.util.Map;
import java.util.TreeSet;

/**
 * A classifier of full size with random weights, as PyTorch's exporter writes it: to measure speed
 * and memory with. Its answers mean nothing.
 */
public sealed interface ReferenceModel permits ReferenceArchitecture, ReferenceDecoder {
  /** The sizes that have a name. */
  Map<String, ReferenceModel> NAMED =
      Map.of(
          "roberta-base", new ReferenceArchitecture(768, 12, 12, 3072, 50265, 514, 2),
          "roberta-large", new ReferenceArchitecture(1024, 24, 16, 4096, 50265, 514, 2),
          "distilroberta-base", new ReferenceArchitecture(768, 6, 12, 3072, 50265, 514, 2),
          "gpt2-large", new ReferenceDecoder(1280, 36, 20, 50257, 1024, 2));

  /**
   * The architecture of a name.
   *
   * @throws LoraGraphException if there is none
   */
  static ReferenceModel named(String name) {
    ReferenceModel model = NAMED.get(name);
    if (model == null) {
      throw new LoraGraphException(
          "no reference architecture '%s'; there are: %s"
              .formatted(name, String.join(", ", new TreeSet<>(NAMED.keySet()))));
    }
    return model;
  }

  /** The model; the same seed gives the same weights. */
  OnnxModel model(long seed);

  /** The configuration that belongs to it. */
  ModelConfig config();
}
