package io.github.loragraph.retrieval;

import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Which documents are relevant to which queries (qrels).
 *
 * @param file what they were read from
 * @param byQuery for each id of a query the judgements of documents, by their ids
 */
public record Judgements(Path file, Map<String, Map<String, Judgement>> byQuery) {
  private static final List<String> GRADE =
      List.of("score", "relevance", "rel", "grade", "label", "judgment", "judgement");

  /** The columns of a TREC file, which has no heading; the second one says nothing. */
  private static final List<String> TREC =
      List.of(
          QueryDocumentFile.QUERY,
          "iteration",
          QueryDocumentFile.DOCUMENT,
          QueryDocumentFile.SCORE);

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
    new QueryDocumentFile(file, TREC, "grade", GRADE, notices)
        .each(
            (query, document, grade, place) -> {
              Judgement judgement = new Judgement(grade, place);
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
}
