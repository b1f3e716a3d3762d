package io.github.loragraph.retrieval;

import io.github.loragraph.data.Row;
import io.github.loragraph.data.TextGroup;
import io.github.loragraph.task.Report;
import java.util.List;

/**
 * Pairs of texts, each with how alike they are.
 *
 * @param queries the first texts
 * @param documents as many second ones
 * @param scores as many
 */
record ScoredPairs(List<Row> queries, List<Row> documents, double[] scores)
    implements EmbeddingMeasure {
  static ScoredPairs of(List<TextGroup> groups) {
    return new ScoredPairs(
        groups.stream().map(TextGroup::anchor).toList(),
        groups.stream().map(TextGroup::positive).toList(),
        groups.stream().mapToDouble(TextGroup::requireScore).toArray());
  }

  @Override
  public Report report(float[][] queryVectors, float[][] documentVectors) {
    double[] cosines = new double[scores.length];
    for (int i = 0; i < cosines.length; i++) {
      cosines[i] = Cosine.of(queryVectors[i], documentVectors[i]);
    }
    return SimilarityReport.of(cosines, scores);
  }
}
