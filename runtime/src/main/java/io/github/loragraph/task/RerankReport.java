package io.github.loragraph.task;

import io.github.loragraph.retrieval.RankingFigures;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How well a reranker orders the candidates of each query. A label above 0 is relevant, as for
 * {@code trec_eval}. Of documents with equal scores the less relevant one comes first, so that a
 * model that answers all alike gains nothing by the order of the data. Queries none of whose
 * candidates is relevant count in the loss of the pairs alone.
 *
 * @param examples the number of pairs
 * @param loss the mean binary cross-entropy of the pairs
 * @param listwiseLoss the mean softmax cross-entropy of the queries that have a relevant candidate
 * @param queries how many queries there are
 * @param ranked those with a relevant candidate
 * @param largest the candidates of the query that has most
 * @param ranking the means over the queries that are ranked; NaN where none is
 */
record RerankReport(
    int examples,
    double loss,
    double listwiseLoss,
    int queries,
    int ranked,
    int largest,
    RankingFigures ranking)
    implements Report {
  /** One candidate. */
  private record Candidate(double score, double relevance) {}

  /**
   * Measures.
   *
   * @param scores logits
   * @param queries the number of each pair's query
   * @param relevance from 0 to 1
   */
  static RerankReport of(double[] scores, int[] queries, double[] relevance) {
    Map<Integer, List<Candidate>> lists = new LinkedHashMap<>();
    double loss = 0;
    for (int i = 0; i < scores.length; i++) {
      lists
          .computeIfAbsent(queries[i], q -> new ArrayList<>())
          .add(new Candidate(scores[i], relevance[i]));
      loss += Probabilities.softplus(scores[i]) - scores[i] * relevance[i];
    }
    int largest = 0;
    double listwise = 0;
    List<RankingFigures> figures = new ArrayList<>();
    for (List<Candidate> list : lists.values()) {
      largest = Math.max(largest, list.size());
      if (list.stream().anyMatch(c -> c.relevance > 0)) {
        listwise += entropy(list);
        figures.add(figures(list));
      }
    }
    return new RerankReport(
        scores.length,
        loss / scores.length,
        listwise / figures.size(),
        lists.size(),
        figures.size(),
        largest,
        RankingFigures.mean(figures));
  }

  private static RankingFigures figures(List<Candidate> list) {
    double[] ranked =
        list.stream()
            .sorted(
                Comparator.comparingDouble(Candidate::score)
                    .reversed()
                    .thenComparingDouble(Candidate::relevance))
            .mapToDouble(Candidate::relevance)
            .toArray();
    return RankingFigures.ofRanking(ranked, new double[0]);
  }

  private static double entropy(List<Candidate> list) {
    double most = list.stream().mapToDouble(Candidate::score).max().orElseThrow();
    double sum = list.stream().mapToDouble(c -> Math.exp(c.score - most)).sum();
    double relevance = list.stream().mapToDouble(Candidate::relevance).sum();
    return list.stream()
        .mapToDouble(c -> c.relevance / relevance * (most + Math.log(sum) - c.score))
        .sum();
  }

  @Override
  public String scoreName() {
    return RankingFigures.NDCG;
  }

  @Override
  public Map<String, Double> figures() {
    Map<String, Double> all = new LinkedHashMap<>();
    all.put("loss", loss);
    all.put("listwiseLoss", listwiseLoss);
    all.put(RankingFigures.NDCG, ranking.ndcg());
    all.put("mrr@10", ranking.reciprocalRank());
    all.put("map", ranking.averagePrecision());
    return all;
  }

  @Override
  public Map<String, Object> details(List<String> names) {
    Map<String, Object> details = new LinkedHashMap<>();
    details.put("queries", queries);
    details.put("queriesWithoutRelevant", queries - ranked);
    return details;
  }

  @Override
  public List<String> remarks(List<String> names) {
    List<String> remarks = new ArrayList<>();
    if (ranked < queries) {
      remarks.add(
          "%,d of %,d queries have no relevant candidate: they are not in the figures of ranking"
              .formatted(queries - ranked, queries));
    }
    if (largest < 2) {
      remarks.add("no query has more than one candidate: there is nothing to rank");
    }
    return remarks;
  }
}
