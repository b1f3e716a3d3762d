package io.github.loragraph.adapter;

import io.github.loragraph.onnx.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What an adapter's file has besides lora_A and lora_B: whole values, not what is added to some.
 */
final class FullParameters {
  private FullParameters() {}

  /** The head, biases and DoRA's magnitudes by their keys without PEFT's prefix. */
  static Map<String, Tensor> of(PeftAdapter adapter) {
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    adapter.others().forEach((key, tensor) -> parameters.put(PeftLayer.module(key), tensor));
    for (PeftLayer layer : adapter.layers().values()) {
      if (layer.magnitude() != null) {
        parameters.put(layer.module() + ".lora_magnitude_vector", layer.magnitude());
      }
    }
    return parameters;
  }
}
