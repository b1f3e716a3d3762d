package io.github.loragraph.data;

import java.util.Map;

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
    String text, String textPair, String label, Map<String, Values> values, String place) {
  /**
   * A row that a program gives, as a file would have it: without the spaces around text and label.
   *
   * @throws io.github.loragraph.error.LoraGraphException if there is a NUL or half of a character
   *     in it, which no tokenizer takes
   */
  public static Row given(
      String text, String textPair, String label, Map<String, Values> values, String place) {
    return new Row(
        stripped(text, "text", place),
        stripped(textPair, "text_pair", place),
        stripped(label, "label", place),
        Map.copyOf(values),
        place);
  }

  private static String stripped(String value, String what, String place) {
    return value == null ? null : DataFile.checked(value.strip(), what, place);
  }

  public boolean isText() {
    return text != null;
  }
}
