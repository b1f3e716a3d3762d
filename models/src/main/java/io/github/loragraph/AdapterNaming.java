package io.github.loragraph;

import java.util.Locale;

/**
 * What the matrices of an adapter are called as inputs of a model; all of it is after the module
 * path, which is the exported model's own.
 */
public enum AdapterNaming {
  /** {@code encoder.layer.0.attention.self.query.lora_A}. */
  LORA_GRAPH(io.github.loragraph.adapter.AdapterNaming.LORA_GRAPH),
  /** As Microsoft's Olive names them: {@code model.layers.0.self_attn.q_proj.lora_A.weight}. */
  OLIVE(io.github.loragraph.adapter.AdapterNaming.OLIVE),
  /**
   * As the builder of ONNX Runtime GenAI names weights: {@code
   * model.layers.0.attn.q_proj.lora_A.MatMul.weight}.
   */
  GENAI(io.github.loragraph.adapter.AdapterNaming.GENAI);

  private final io.github.loragraph.adapter.AdapterNaming internal;

  AdapterNaming(io.github.loragraph.adapter.AdapterNaming internal) {
    this.internal = internal;
  }

  io.github.loragraph.adapter.AdapterNaming internal() {
    return internal;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
