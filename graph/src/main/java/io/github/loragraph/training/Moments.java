package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import java.util.List;
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
  private int bits() {
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

  /** A line for the user on what of a step's state is codes. */
  public String noteOn(List<StepGraph.Slot> slots) {
    long all = slots.stream().mapToLong(slot -> slot.initial().elementCount()).sum();
    List<StepGraph.Slot> coded = slots.stream().filter(StepGraph.Slot::isCoded).toList();
    long codes = coded.stream().mapToLong(slot -> slot.initial().elementCount()).sum();
    return String.format(
        Locale.ROOT,
        "%s: the moments of %,d of %,d tensors, %.1f%% of what is trained, are rounded to codes of %d"
            + " bits, so the numbers are others than those of adamw; smaller tensors keep fp32",
        this,
        coded.size(),
        slots.size(),
        100.0 * codes / all,
        bits());
  }

  /** As it is written on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
