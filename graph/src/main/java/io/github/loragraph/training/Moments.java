package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import java.util.Locale;

/** In what AdamW's moments are kept from step to step; the update itself is in FLOAT. */
public enum Moments {
  /** As they are. */
  ADAMW(ElementType.FLOAT, 0, ElementType.FLOAT, 0),
  /** In codes of 16 bits for those of large parameters. */
  ADAMW_16BIT(ElementType.INT16, Short.MAX_VALUE, ElementType.INT16, Short.MAX_VALUE),
  /** In codes of 8 bits for those of large parameters. */
  ADAMW_8BIT(ElementType.INT8, Byte.MAX_VALUE, ElementType.UINT8, 255);

  private final ElementType first;
  private final int firstLevels;
  private final ElementType second;
  private final int secondLevels;

  Moments(ElementType first, int firstLevels, ElementType second, int secondLevels) {
    this.first = first;
    this.firstLevels = firstLevels;
    this.second = second;
    this.secondLevels = secondLevels;
  }

  /** Whether they are kept as codes. */
  public boolean areCodes() {
    return firstLevels > 0;
  }

  /** Of each moment. */
  public int bits() {
    return 8 * first.bytes();
  }

  /** The type of the first moment, or of its codes. */
  ElementType first() {
    return first;
  }

  /** The largest code of a first moment. */
  int firstLevels() {
    return firstLevels;
  }

  /** The type of the second moment, or of its codes. */
  ElementType second() {
    return second;
  }

  /** The largest code of a second moment. */
  int secondLevels() {
    return secondLevels;
  }

  /** As it is written on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
