package io.github.loragraph.lora;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** What an adapter is before training: PEFT's {@code init_lora_weights}. */
public enum LoraInit {
  /** lora_A is N(0, 1) / sqrt(in), lora_B zero. */
  NORMAL,
  /** lora_A is N(0, 1) / r, lora_B zero: PEFT's {@code gaussian}. */
  GAUSSIAN,
  /** lora_A is uniform in +-1 / sqrt(in), lora_B zero: PEFT's {@code true}. */
  KAIMING,
  /**
   * The r largest singular values of the weight and their vectors (Meng et al., "PiSSA: Principal
   * Singular Values and Singular Vectors Adaptation of Large Language Models", 2024).
   */
  PISSA,
  /** The first r columns of Q and rows of R of the weight (Büyükakyüz, "OLoRA", 2024). */
  OLORA,
  /** Random matrices whose product is zero, none of which is zero: PEFT's {@code orthogonal}. */
  ORTHOGONAL;

  /**
   * Whether the adapter starts with a part of the weight, which is taken off again by a frozen copy
   * of the start, the anchor: y = xW + b + s (x lora_A) lora_B - s (x lora_A0) lora_B0. PEFT
   * changes the weight instead; here it stays what it was.
   */
  public boolean isAnchored() {
    return this == PISSA || this == OLORA;
  }

  /** The name by which it is chosen, and that it has in metadata. */
  @JsonValue
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
