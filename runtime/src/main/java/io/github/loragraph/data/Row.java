package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import java.util.List;
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
 * @param words that the text was made of; null where it was given as a text
 * @param written the text with the spaces around it, which spans of characters count; null where
 *     there are none
 */
public record Row(
    @Nullable String text,
    @Nullable String textPair,
    @Nullable String label,
    Map<String, Values> values,
    String place,
    boolean given,
    @Nullable Words words,
    @Nullable String written) {
  private static final String ADVICE = "mend it, or leave it out";

  /** A row of a data file. */
  public Row(
      @Nullable String text,
      @Nullable String textPair,
      @Nullable String label,
      Map<String, Values> values,
      String place) {
    this(text, textPair, label, values, place, false, null, null);
  }

  /** A row of a data file that gives the words of its text. */
  static Row of(Words words, @Nullable String label, String place) {
    return new Row(words.text(), null, label, Map.of(), place, false, words, null);
  }

  /**
   * The same with something before its text.
   *
   * @param prefix empty for nothing
   * @throws LoraGraphException if there is something to put before tokens
   */
  public Row beginningWith(String prefix) {
    if (prefix.isEmpty()) {
      return this;
    }
    if (text == null) {
      throw new LoraGraphException(
          "%s has tokens, before which '%s' cannot be put: give text, or an empty prefix"
              .formatted(place, prefix));
    }
    return new Row(prefix + text, textPair, label, values, place, given, null, null);
  }

  /** Its first text alone, without a label; of tokens all. */
  public Row firstText() {
    return text == null ? this : new Row(text, null, null, values, place);
  }

  /** What tells its text, or its tokens, from others: equal where those are equal. */
  public Object content() {
    return text == null ? values : text;
  }

  /** The same with the text as it was written, where that is another one. */
  Row writtenAs(@Nullable String original) {
    return original == null || original.equals(text)
        ? this
        : new Row(text, textPair, label, values, place, given, words, original);
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
        true,
        null,
        text == null || text.equals(text.strip()) ? null : text);
  }

  /**
   * A row of words that a program gives.
   *
   * @throws LoraGraphException as the other one does
   */
  public static Row given(List<String> words, @Nullable String label, String place) {
    Words all = new Words(words, false);
    Row row = given(all.text(), null, label, Map.of(), place);
    return new Row(all.text(), null, row.label, Map.of(), place, true, all, null);
  }

  /** What messages call one of its words. */
  public String placeOf(int word) {
    int colon = place.lastIndexOf(':');
    if (words != null && words.lineEach() && colon >= 0) {
      return place.substring(0, colon + 1) + (Long.parseLong(place.substring(colon + 1)) + word);
    }
    return "%s (word %d)".formatted(place, word + 1);
  }

  /** What messages call the data that it is of. */
  public String source() {
    return place.replaceFirst(":\\d+$", "");
  }

  /** The characters, as code points, that were taken away before the text. */
  int lead() {
    return written == null || text == null
        ? 0
        : written.codePointCount(0, written.length() - written.stripLeading().length());
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
