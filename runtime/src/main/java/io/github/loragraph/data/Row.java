package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One example as it stands in a data file, or as a program gives it.
 *
 * @param text null in pre-tokenized data
 * @param textPair null where there is none
 * @param label as it is written, a JSON array as JSON; null where there is none
 * @param values numbers for the model's inputs by their names; empty in text data
 * @param place {@code file:line}, for messages
 * @param given whether a program gives it: there is then no line to mend, and no column to name
 */
public record Row(
    @Nullable String text,
    @Nullable String textPair,
    @Nullable String label,
    Map<String, Values> values,
    String place,
    boolean given) {
  private static final String ADVICE = "mend it, or leave it out";

  /** A row of a data file. */
  public Row(
      @Nullable String text,
      @Nullable String textPair,
      @Nullable String label,
      Map<String, Values> values,
      String place) {
    this(text, textPair, label, values, place, false);
  }

  /**
   * A row that a program gives, as a file would have it: without the spaces around text and label.
   *
   * @throws LoraGraphException if there is a NUL or half of a character in it, which no tokenizer
   *     takes, or it has more characters than a row of a file may have
   */
  public static Row given(
      @Nullable String text,
      @Nullable String textPair,
      @Nullable String label,
      Map<String, Values> values,
      String place) {
    if (length(text) + length(textPair) + length(label) > DataFile.LONGEST_ROW) {
      throw new LoraGraphException(
          "%s has more than %,d characters: %s".formatted(place, DataFile.LONGEST_ROW, ADVICE));
    }
    return new Row(
        stripped(text, "text", place),
        stripped(textPair, "text_pair", place),
        stripped(label, "label", place),
        Map.copyOf(values),
        place,
        true);
  }

  private static long length(@Nullable String value) {
    return value == null ? 0 : value.length();
  }

  private static @Nullable String stripped(@Nullable String value, String what, String place) {
    return value == null ? null : DataFile.checked(value.strip(), what, place, ADVICE);
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
      throw given
          ? new LoraGraphException(place + " has no label: give it one")
          : new LoraGraphException(place + " has no label", Remedy.NAME_LABEL_COLUMN);
    }
    return label;
  }
}
