package io.github.loragraph.lora;

/** What a training changes. */
public enum Method {
  /** The adapters and the head of an injected model. */
  LORA,
  /** Every parameter. */
  FULL,
  /** The head alone. */
  HEAD
}
