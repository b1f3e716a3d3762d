package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import java.util.Locale;

/** What matrix products are computed in; all else is computed in FLOAT, whatever this is. */
public enum Precision {
  /** In FLOAT, as the model has it. */
  FP32(ElementType.FLOAT),
  /** In FLOAT16: 11 bits, but nothing above 65504, and gradients have to be scaled. */
  FP16(ElementType.FLOAT16),
  /** In BFLOAT16: FLOAT's range with 8 bits. */
  BF16(ElementType.BFLOAT16);

  private final ElementType elementType;

  Precision(ElementType elementType) {
    this.elementType = elementType;
  }

  /** The type of the factors and of what a product makes of them. */
  public ElementType elementType() {
    return elementType;
  }

  /** Whether gradients are too small for the type unless the loss is scaled up. */
  public boolean scalesLoss() {
    return this == FP16;
  }

  /** The name by which it is chosen. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
