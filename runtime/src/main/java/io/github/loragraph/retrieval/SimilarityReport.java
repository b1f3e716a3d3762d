package io.github.loragraph.retrieval;

import io.github.loragraph.task.RegressionReport;
import io.github.loragraph.task.Report;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How well the cosine of two texts' vectors follows the score that the pair was given.
 *
 * @param examples the number of pairs
 * @param spearman Pearson's correlation of the ranks, ties given their mean rank; not defined, NaN,
 *     where cosines or scores do not vary
 * @param pearson correlation of cosines and scores
 */
public record SimilarityReport(int examples, double spearman, double pearson) implements Report {
  private static final String SPEARMAN = "spearman";

  /**
   * Measures.
   *
   * @param cosines one for each pair
   * @param scores as many
   */
  public static SimilarityReport of(double[] cosines, double[] scores) {
    RegressionReport correlations = RegressionReport.of(cosines, scores);
    return new SimilarityReport(scores.length, correlations.spearman(), correlations.pearson());
  }

  /** Not defined: scores need not be cosines. */
  @Override
  public double loss() {
    return Double.NaN;
  }

  @Override
  public String scoreName() {
    return SPEARMAN;
  }

  @Override
  public Map<String, Double> figures() {
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put(SPEARMAN, spearman);
    figures.put("pearson", pearson);
    return figures;
  }
}
