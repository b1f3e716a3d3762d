package io.github.loragraph.check;

import io.github.loragraph.onnx.ElementType;

/** How products are computed. Adapters, moments and the loss are float32 in all of them. */
enum Precision {
  FP32("fp32", ElementType.FLOAT, false),
  TF32("fp32", ElementType.FLOAT, true),
  FP16("fp16", ElementType.FLOAT16, true),
  BF16("bf16", ElementType.BFLOAT16, true);

  private final String option;
  private final ElementType type;
  private final boolean tf32;

  Precision(String option, ElementType type, boolean tf32) {
    this.option = option;
    this.type = type;
    this.tf32 = tf32;
  }

  /** As {@code --precision} takes it. */
  String option() {
    return option;
  }

  /** Of the factors. */
  ElementType type() {
    return type;
  }

  /** Whether products of float32 may be computed with fewer bits. */
  boolean tf32() {
    return tf32;
  }

  /** As tables and the PyTorch script name it. */
  String label() {
    return this == TF32 ? "tf32" : option;
  }
}
