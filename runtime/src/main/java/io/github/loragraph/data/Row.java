package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One example as it stands in a data file.
 *
 * @param text null in pre-tokenized data
 * @param textPair null where there is none
 * @param label as it is written, a JSON array as JSON; null where there is none
 * @param values numbers for the model's inputs by their names; empty in text data
 * @param place {@code file:line}, for messages
 */
public record Row(
    @Nullable String text,
    @Nullable String textPair,
    @Nullable String label,
    Map<String, Values> values,
    String place) {
  /**
   * A row that a program gives, as a file would have it: without the spaces around text and label.
   *
   * @throws LoraGraphException if there is a NUL or half of a character in it, which no tokenizer
   *     takes
   */
  public static Row given(
      @Nullable String text,
      @Nullable String textPair,
      @Nullable String label,
      Map<String, Values> values,
      String place) {
    return new Row(
        stripped(text, "text", place),
        stripped(textPair, "text_pair", place),
        stripped(label, "label", place),
        Map.copyOf(values),
        place);
  }

  private static @Nullable String stripped(@Nullable String value, String what, String place) {
    return value == null ? null : DataFile.checked(value.strip(), what, place);
  }

  public boolean isText() {
    return text != null;
  }

  /**
   * The label, which is not empty.
   *
   * @throws LoraGraphException if there is none
   */
  public String requireLabel() {
    if (label == null || label.isEmpty()) {
      throw new LoraGraphException(place + " has no label", Remedy.NAME_LABEL_COLUMN);
    }
    return label;
  }
}
