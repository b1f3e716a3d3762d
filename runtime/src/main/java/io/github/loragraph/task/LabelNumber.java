package io.github.loragraph.task;

import io.github.loragraph.data.DecimalNumber;
import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;

/** A label that is a number to predict. */
final class LabelNumber {
  private LabelNumber() {}

  /**
   * @param text the row's label, or an entry of it
   * @throws LoraGraphException if it is no number, or its square is none of float32
   */
  static float of(Row row, String text) {
    float number = DecimalNumber.isOne(text) ? Float.parseFloat(text) : Float.NaN;
    if (!Float.isFinite(number)) {
      throw new LoraGraphException(
          "%s has the label '%s', which is no number as a regression needs"
              .formatted(row.place(), PlainText.shortened(text, LabelList.LONGEST_SHOWN)));
    }
    if (!Float.isFinite(number * number)) {
      throw new LoraGraphException(
          "%s has the label %s, whose squared error is beyond float32: mend it, or take smaller units"
              .formatted(row.place(), PlainText.shortened(text, LabelList.LONGEST_SHOWN)));
    }
    return number;
  }
}
