package io.github.loragraph.retrieval;

import io.github.loragraph.task.Report;
import io.github.loragraph.task.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How well a search finds before and after a reranker put the first documents of each query into
 * another order. Both are held to all judgements: what the search did not find, no order mends.
 *
 * @param examples the number of queries
 * @param pairs of a query and a document that were scored
 * @param top documents of a query that were put into another order
 * @param first the figures of the search
 * @param reranked those after it
 */
public record RerankedSearchReport(
    int examples, long pairs, int top, RankingFigures first, RankingFigures reranked)
    implements Report {
  /** Not defined: a search has no loss. */
  @Override
  public double loss() {
    return Double.NaN;
  }

  @Override
  public String scoreName() {
    return RankingFigures.NDCG;
  }

  @Override
  public Map<String, Double> figures() {
    return reranked.byName();
  }

  @Override
  public Map<String, Object> details(List<String> names) {
    Map<String, Object> details = new LinkedHashMap<>();
    details.put("firstStage", first.byName());
    details.put("top", top);
    details.put("pairs", pairs);
    return details;
  }

  @Override
  public List<Table> tables(List<String> names) {
    List<String> heading = new ArrayList<>(List.of("order"));
    heading.addAll(first.byName().keySet());
    return List.of(
        new Table(heading, List.of(row("first stage", first), row("re-ranked", reranked))));
  }

  private static List<Object> row(String name, RankingFigures figures) {
    List<Object> row = new ArrayList<>(List.of(name));
    row.addAll(figures.byName().values());
    return row;
  }
}
