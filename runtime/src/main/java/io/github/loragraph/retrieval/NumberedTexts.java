package io.github.loragraph.retrieval;

import io.github.loragraph.data.Row;
import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Different texts, numbered in the order in which they came. */
final class NumberedTexts {
  private final Map<String, Integer> numbers = new HashMap<>();
  private final List<Row> rows = new ArrayList<>();

  /**
   * The number of a text, a new one where it was not there.
   *
   * @throws LoraGraphException if it has tokens in place of text
   */
  int number(Row row) {
    String text = row.text();
    if (text == null) {
      throw new LoraGraphException(
          row.place() + " has tokens, and negatives are mined among texts: give text");
    }
    return numbers.computeIfAbsent(
        text,
        key -> {
          rows.add(row);
          return rows.size() - 1;
        });
  }

  /** The number of a text that is there; null of others. */
  @Nullable Integer find(String text) {
    return numbers.get(text);
  }

  boolean has(String text) {
    return numbers.containsKey(text);
  }

  /** The text of a number. */
  String text(int number) {
    return Objects.requireNonNull(rows.get(number).text());
  }

  /** One row for each text. */
  List<Row> rows() {
    return Collections.unmodifiableList(rows);
  }
}
