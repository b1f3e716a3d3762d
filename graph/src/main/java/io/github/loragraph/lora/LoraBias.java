package io.github.loragraph.lora;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** Which biases are trained with the adapters: PEFT's {@code bias}. */
public enum LoraBias {
  /** None but the head's. */
  NONE,
  /** Those of adapted Linears. */
  LORA_ONLY,
  /** All of the model. */
  ALL;

  /** PEFT's word, which it has in metadata, too. */
  @JsonValue
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
