package io.github.loragraph.lora;

import java.util.Locale;

/** What a training changes. */
public enum Method {
  /** The adapters and the head of an injected model. */
  LORA,
  /** Every parameter. */
  FULL,
  /** The head alone. */
  HEAD;

  /** The name in a run's {@code config.yaml}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
