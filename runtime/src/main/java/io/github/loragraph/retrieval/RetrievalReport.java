package io.github.loragraph.retrieval;

import io.github.loragraph.task.Report;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How well texts are found by queries.
 *
 * @param examples the number of queries
 * @param documents the number of documents that each query was held against
 * @param ranking the means over the queries
 * @param tripletAccuracy of how many (anchor, positive, negative) the positive is closer to the
 *     anchor, as a share; null where there are no negatives
 */
public record RetrievalReport(
    int examples, long documents, RankingFigures ranking, @Nullable Double tripletAccuracy)
    implements Report {
  /** The name of {@link #tripletAccuracy}. */
  public static final String TRIPLETS = "tripletAccuracy";

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
    Map<String, Double> figures = new LinkedHashMap<>(ranking.byName());
    if (tripletAccuracy != null) {
      figures.put(TRIPLETS, tripletAccuracy);
    }
    return figures;
  }
}
