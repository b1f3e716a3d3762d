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
  public boolean isText() {
    return text != null;
  }
}
