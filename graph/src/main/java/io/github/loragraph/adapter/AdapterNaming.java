package io.github.loragraph.adapter;

import java.util.Locale;

/**
 * What an adapter's matrices are called as inputs of a model. All three begin with the module path;
 * parameters that are no matrix of an adapter, as those of a head, keep their names.
 */
public enum AdapterNaming {
  /** As in our own models: {@code encoder.layer.0.attention.self.query.lora_A}. */
  LORA_GRAPH(""),
  /**
   * As Olive's {@code ExtractAdapters} and {@code convert-adapters} name them: {@code
   * model.layers.0.self_attn.q_proj.lora_A.weight}.
   */
  OLIVE(".weight"),
  /**
   * As the builder of ONNX Runtime GenAI names the weights of its models: {@code
   * model.layers.0.attn.q_proj.lora_A.MatMul.weight}.
   */
  GENAI(".MatMul.weight");

  private static final String A = ".lora_A";
  private static final String B = ".lora_B";

  private final String suffix;

  AdapterNaming(String suffix) {
    this.suffix = suffix;
  }

  /**
   * The name of a parameter.
   *
   * @param name as in our own models
   */
  public String of(String name) {
    return isMatrix(name) ? name + suffix : name;
  }

  /** The name in our own models of one that is named in this way; others stay as they are. */
  public String ours(String name) {
    if (!name.endsWith(suffix)) {
      return name;
    }
    String ours = name.substring(0, name.length() - suffix.length());
    return isMatrix(ours) ? ours : name;
  }

  /** The name in our own models of one that is named in any of these ways. */
  static String anyToOurs(String name) {
    String ours = name;
    for (AdapterNaming naming : values()) {
      ours = isMatrix(ours) ? ours : naming.ours(ours);
    }
    return ours;
  }

  /** Whether a name is that of an adapter's matrix in our own models. */
  static boolean isMatrix(String name) {
    return name.endsWith(A) || name.endsWith(B);
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
