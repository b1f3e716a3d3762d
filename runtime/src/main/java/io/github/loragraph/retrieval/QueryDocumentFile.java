package io.github.loragraph.retrieval;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.data.ColumnNames;
import io.github.loragraph.data.DataFile;
import io.github.loragraph.data.DecimalNumber;
import io.github.loragraph.data.NoticesOnce;
import io.github.loragraph.data.TableForm;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A file with a query, a document and a number in each line: a table or JSON lines with names, or a
 * table without a heading, as TREC has them, divided by tabs or spaces, in a file of any ending.
 */
final class QueryDocumentFile {
  /** What TREC's columns and those of three alone are called here; others say nothing. */
  static final String QUERY = "query-id";

  static final String DOCUMENT = "corpus-id";
  static final String SCORE = "score";

  private static final List<String> QUERIES =
      List.of(QUERY, "query_id", "qid", "query", "queryid", "topic");
  private static final List<String> DOCUMENTS =
      List.of(
          DOCUMENT,
          "corpus_id",
          "doc_id",
          "doc-id",
          "docid",
          "document",
          "docno",
          "pid",
          "passage_id");

  private final Path file;
  private final List<String> trec;
  private final String what;
  private final List<String> numbers;
  private final Consumer<String> notices;
  private final NoticesOnce once;

  /**
   * @param trec the columns of TREC's form
   * @param what the number is called
   * @param numbers names of its column
   * @param notices gets a line for what was guessed
   */
  QueryDocumentFile(
      Path file, List<String> trec, String what, List<String> numbers, Consumer<String> notices) {
    this.file = file;
    this.trec = trec;
    this.what = what;
    this.numbers = numbers;
    this.notices = notices;
    this.once = NoticesOnce.of(notices);
  }

  /** Takes lines one by one. */
  @FunctionalInterface
  interface Visitor {
    /**
     * @param number finite
     * @param place {@code file:line}
     */
    void line(String query, String document, double number, String place);
  }

  /**
   * Hands over all lines.
   *
   * @throws LoraGraphException if the file cannot be read or holds nothing, or a line of it has no
   *     query, no document, or no number
   */
  void each(Visitor visitor) {
    DataFile.ofFields(file, notices, new TableForm(this::headless, true))
        .fields(
            (place, fields) ->
                visitor.line(
                    required(fields, QUERIES, place),
                    required(fields, DOCUMENTS, place),
                    number(required(fields, numbers, place), place),
                    place));
  }

  private @Nullable List<String> headless(List<String> cells) {
    List<String> names =
        cells.size() == trec.size()
            ? trec
            : cells.size() == 3 ? List.of(QUERY, DOCUMENT, SCORE) : List.of();
    int number = names.indexOf(SCORE);
    return number >= 0 && DecimalNumber.isOne(cells.get(number).strip()) ? names : null;
  }

  private String required(Map<String, JsonNode> fields, List<String> candidates, String place) {
    List<String> names = List.copyOf(fields.keySet());
    String name = ColumnNames.find(names, candidates, place, once);
    JsonNode value = name == null ? null : fields.get(name);
    String text =
        value == null || !value.isTextual() && !value.isNumber() ? "" : value.asText().strip();
    if (text.isEmpty()) {
      throw new LoraGraphException(
          name == null
              ? "%s has no '%s'; it has %s: give query-id, corpus-id and score, or TREC's %s columns"
                  .formatted(
                      place,
                      candidates.get(0),
                      DataFile.shortened(names),
                      trec.size() == 4 ? "four" : "six")
              : "%s has nothing in '%s': mend or delete the line".formatted(place, name));
    }
    return text;
  }

  private double number(String text, String place) {
    double number = DecimalNumber.parsed(text);
    if (!Double.isFinite(number)) {
      throw new LoraGraphException(
          "%s: the %s '%s' is no number: mend or delete the line"
              .formatted(place, what, DataFile.shortened(List.of(text))));
    }
    return number;
  }
}
