package io.github.loragraph.retrieval;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.data.ColumnNames;
import io.github.loragraph.data.DataFile;
import io.github.loragraph.data.TableForm;
import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a search found for each query, which a reranker puts into another order: a run, as TREC
 * calls it. As {@code trec_eval} reads one, scores decide and ranks do not, and of equal scores the
 * document with the last id comes first.
 *
 * @param file what it was read from
 * @param byQuery for each id of a query what was found, the best first
 */
public record FirstStage(Path file, Map<String, List<Hit>> byQuery) {
  private static final List<String> QUERY =
      List.of("query-id", "query_id", "qid", "query", "queryid", "topic");
  private static final List<String> DOCUMENT =
      List.of("corpus-id", "corpus_id", "doc_id", "doc-id", "docid", "document", "docno", "pid");
  private static final List<String> SCORE = List.of("score", "similarity");

  /** The columns of a TREC run, which has no heading. */
  private static final List<String> TREC =
      List.of("query-id", "iteration", "corpus-id", "rank", "score", "tag");

  private static final int SCORE_OF_TREC = TREC.indexOf("score");

  /**
   * A document that was found.
   *
   * @param document its id
   * @param place {@code file:line}
   */
  public record Hit(String document, double score, String place) {}

  /**
   * Reads what was found: TREC's six columns without a heading (query, Q0, document, rank, score,
   * name), divided by tabs or spaces, in a file of any ending; or a table or JSON lines with {@code
   * query-id}, {@code corpus-id} and {@code score}.
   *
   * @param notices gets a line for what was guessed
   * @throws LoraGraphException if the file cannot be read or holds nothing, a document is there
   *     twice for one query, or a score is no number
   */
  public static FirstStage read(Path file, Consumer<String> notices) {
    Map<String, Map<String, Hit>> found = new LinkedHashMap<>();
    DataFile.ofFields(file, notices, new TableForm(FirstStage::headless, true))
        .fields(
            (place, fields) -> {
              List<String> names = List.copyOf(fields.keySet());
              String query = required(fields, QUERY, names, place);
              String document = required(fields, DOCUMENT, names, place);
              Hit hit =
                  new Hit(document, number(required(fields, SCORE, names, place), place), place);
              Hit before =
                  found.computeIfAbsent(query, q -> new LinkedHashMap<>()).put(document, hit);
              if (before != null) {
                throw new LoraGraphException(
                    "%s has document '%s' for query '%s', and so does %s: delete one of them"
                        .formatted(place, document, query, before.place()));
              }
            });
    Map<String, List<Hit>> byQuery = new LinkedHashMap<>();
    found.forEach((query, hits) -> byQuery.put(query, ordered(hits.values().stream().toList())));
    return new FirstStage(file, byQuery);
  }

  private static List<Hit> ordered(List<Hit> hits) {
    List<Hit> order = new ArrayList<>(hits);
    order.sort(Comparator.comparingDouble(Hit::score).thenComparing(Hit::document).reversed());
    return List.copyOf(order);
  }

  private static @Nullable List<String> headless(List<String> cells) {
    if (cells.size() == TREC.size() && isNumber(cells.get(SCORE_OF_TREC))) {
      return TREC;
    }
    return cells.size() == 3 && isNumber(cells.get(2))
        ? List.of("query-id", "corpus-id", "score")
        : null;
  }

  private static boolean isNumber(String text) {
    try {
      return Double.isFinite(Double.parseDouble(text.strip()));
    } catch (NumberFormatException e) {
      return false;
    }
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
              ? "%s has no '%s'; it has %s: give query-id, corpus-id and score, or TREC's six columns"
                  .formatted(place, candidates.get(0), DataFile.shortened(names))
              : "%s has nothing in '%s': mend or delete the line".formatted(place, name));
    }
    return text;
  }

  private static double number(String text, String place) {
    if (!isNumber(text)) {
      throw new LoraGraphException(
          "%s: the score '%s' is no number: mend or delete the line"
              .formatted(place, DataFile.shortened(List.of(text))));
    }
    return Double.parseDouble(text);
  }

  /**
   * Writes what one query found as a TREC run has it.
   *
   * @param hits the best first
   */
  public static void write(Writer out, String query, List<Hit> hits) throws IOException {
    int rank = 0;
    for (Hit hit : hits) {
      rank++;
      out.write(
          "%s\tQ0\t%s\t%d\t%s\tlora-graph\n"
              .formatted(query, hit.document(), rank, Float.toString((float) hit.score())));
    }
  }

  /** The relevance that is judged, as a list of the grades in an order that is given. */
  static RankingFigures figures(List<Integer> order, Relevance relevance) {
    Map<Integer, Double> grades = new HashMap<>();
    for (int i = 0; i < relevance.documents().length; i++) {
      grades.put(relevance.documents()[i], relevance.grades()[i]);
    }
    double[] ranked = new double[order.size()];
    for (int i = 0; i < ranked.length; i++) {
      Double grade = grades.remove(order.get(i));
      ranked[i] = grade == null ? 0 : grade;
    }
    return RankingFigures.ofRanking(
        ranked, grades.values().stream().mapToDouble(Double::doubleValue).toArray());
  }
}
