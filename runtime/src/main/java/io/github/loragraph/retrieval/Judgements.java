package io.github.loragraph.retrieval;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.data.ColumnNames;
import io.github.loragraph.data.DataFile;
import io.github.loragraph.data.TableForm;
import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which documents are relevant to which queries (qrels).
 *
 * @param file what they were read from
 * @param byQuery for each id of a query the judgements of documents, by their ids
 */
public record Judgements(Path file, Map<String, Map<String, Judgement>> byQuery) {
  private static final List<String> QUERY =
      List.of("query-id", "query_id", "qid", "query", "queryid", "topic");
  private static final List<String> DOCUMENT =
      List.of(
          "corpus-id",
          "corpus_id",
          "doc_id",
          "doc-id",
          "docid",
          "document",
          "docno",
          "pid",
          "passage_id");
  private static final List<String> GRADE =
      List.of("score", "relevance", "rel", "grade", "label", "judgment", "judgement");
  private static final Pattern NUMBER = Pattern.compile("[-+]?(\\d+(\\.\\d*)?|\\.\\d+)");

  /** The columns of a TREC file, which has no heading; the second one says nothing. */
  private static final List<String> TREC = List.of("query-id", "iteration", "corpus-id", "score");

  /**
   * What was said of one document.
   *
   * @param grade above 0 for a relevant one
   * @param place {@code file:line}
   */
  public record Judgement(double grade, String place) {}

  /**
   * Reads judgements: a table or JSON lines with {@code query-id}, {@code corpus-id} and {@code
   * score} (BEIR), or TREC's four columns without a heading, divided by tabs or spaces, in a file
   * of any ending.
   *
   * @param notices gets a line for what was guessed
   * @throws LoraGraphException if the file cannot be read or holds nothing, a document is judged
   *     twice for one query, or a grade is no number
   */
  public static Judgements read(Path file, Consumer<String> notices) {
    Map<String, Map<String, Judgement>> byQuery = new LinkedHashMap<>();
    DataFile.ofFields(file, notices, new TableForm(Judgements::headless, true))
        .fields(
            (place, fields) -> {
              List<String> names = List.copyOf(fields.keySet());
              String query = required(fields, QUERY, names, place);
              String document = required(fields, DOCUMENT, names, place);
              Judgement judgement =
                  new Judgement(grade(required(fields, GRADE, names, place), place), place);
              Judgement before =
                  byQuery
                      .computeIfAbsent(query, q -> new LinkedHashMap<>())
                      .put(document, judgement);
              if (before != null) {
                throw new LoraGraphException(
                    "%s judges document '%s' for query '%s', and so does %s: delete one of them"
                        .formatted(place, document, query, before.place()));
              }
            });
    return new Judgements(file, byQuery);
  }

  private static @Nullable List<String> headless(List<String> cells) {
    boolean graded = NUMBER.matcher(cells.get(cells.size() - 1).strip()).matches();
    return !graded
        ? null
        : cells.size() == TREC.size()
            ? TREC
            : cells.size() == 3 ? List.of(TREC.get(0), TREC.get(2), TREC.get(3)) : null;
  }

  private static String required(
      Map<String, JsonNode> fields, List<String> candidates, List<String> names, String place) {
    String name = ColumnNames.find(names, candidates, place, notice -> {});
    JsonNode value = name == null ? null : fields.get(name);
    String text =
        value == null || !value.isTextual() && !value.isNumber() ? "" : value.asText().strip();
    if (text.isEmpty()) {
      throw new LoraGraphException(
          name == null
              ? "%s has no '%s'; it has %s: give query-id, corpus-id and score, or TREC's four columns"
                  .formatted(place, candidates.get(0), DataFile.shortened(names))
              : "%s has nothing in '%s': mend or delete the line".formatted(place, name));
    }
    return text;
  }

  private static double grade(String text, String place) {
    if (!NUMBER.matcher(text).matches()) {
      throw new LoraGraphException(
          "%s: the grade '%s' is no number: mend or delete the line"
              .formatted(place, DataFile.shortened(List.of(text))));
    }
    return Double.parseDouble(text);
  }
}
