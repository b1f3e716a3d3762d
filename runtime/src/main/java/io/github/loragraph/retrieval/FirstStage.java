package io.github.loragraph.retrieval;

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

/**
 * What a search found for each query, which a reranker puts into another order: a run, as TREC
 * calls it. As {@code trec_eval} reads one, scores decide and ranks do not, and of equal scores
 * (32-bit floats, as there) the document with the last id comes first.
 *
 * @param file what it was read from
 * @param byQuery for each id of a query what was found, the best first
 */
public record FirstStage(Path file, Map<String, List<Hit>> byQuery) {
  private static final List<String> SCORE = List.of("score", "similarity");

  /** The columns of a TREC run, which has no heading. */
  private static final List<String> TREC =
      List.of(
          QueryDocumentFile.QUERY,
          "iteration",
          QueryDocumentFile.DOCUMENT,
          "rank",
          QueryDocumentFile.SCORE,
          "tag");

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
    new QueryDocumentFile(file, TREC, "score", SCORE, notices)
        .each(
            (query, document, score, place) -> {
              Hit hit = new Hit(document, score, place);
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
    // 32-bit floats, of which the negative zero equals the other one.
    order.sort(
        Comparator.comparingDouble((Hit hit) -> (float) hit.score() + 0f)
            .thenComparing(Hit::document)
            .reversed());
    return List.copyOf(order);
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
          String.join(
                  "\t",
                  query,
                  "Q0",
                  hit.document(),
                  Integer.toString(rank),
                  Float.toString((float) hit.score()),
                  "lora-graph")
              + "\n");
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
