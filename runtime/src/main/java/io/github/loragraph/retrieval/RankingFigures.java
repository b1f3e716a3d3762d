package io.github.loragraph.retrieval;

import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * How well a ranking has what is relevant at its top: for one query, or the means over several. The
 * figures are those of {@code trec_eval} of these names, so those of pytrec_eval and BEIR: a grade
 * above 0 is relevant, all else is not.
 *
 * @param ndcg normalised discounted cumulative gain of the first 10 ({@code ndcg_cut_10}): the gain
 *     is the grade, the discount log2(rank + 1), and the best ranking is that of all judgements,
 *     found or not
 * @param reciprocalRank 1 / rank of the first relevant document among the first 10, 0 where none is
 *     there
 * @param recall1 the share of the relevant documents that are among the first 1 ({@code recall_1})
 * @param recall5 the same of the first 5
 * @param recall10 the same of the first 10
 * @param recall100 the same of the first 100
 * @param averagePrecision the mean, over all relevant documents, of the share of relevant ones down
 *     to each ({@code map}); over the whole ranking, 0 for one that is not in it
 */
public record RankingFigures(
    double ndcg,
    double reciprocalRank,
    double recall1,
    double recall5,
    double recall10,
    double recall100,
    double averagePrecision) {
  /** The name of {@link #ndcg}, the figure to judge by. */
  public static final String NDCG = "ndcg@10";

  private static final int CUT = 10;

  /**
   * The figures of one ranking.
   *
   * @param ranks of the relevant documents, 1 for the first; 0 for one that is not in the ranking
   * @param grades as many, each above 0
   * @throws IllegalArgumentException if nothing is relevant: the figures are then not defined
   */
  public static RankingFigures ofRanks(long[] ranks, double[] grades) {
    if (ranks.length == 0 || ranks.length != grades.length) {
      throw new IllegalArgumentException(
          "%d ranks, %d grades".formatted(ranks.length, grades.length));
    }
    double gain = 0;
    for (int i = 0; i < ranks.length; i++) {
      gain += ranks[i] > 0 && ranks[i] <= CUT ? discounted(grades[i], ranks[i]) : 0;
    }
    long[] found = Arrays.stream(ranks).filter(rank -> rank > 0).sorted().toArray();
    double precisions = 0;
    for (int i = 0; i < found.length; i++) {
      precisions += (i + 1.0) / found[i];
    }
    return new RankingFigures(
        gain / bestGain(grades),
        found.length > 0 && found[0] <= CUT ? 1.0 / found[0] : 0,
        recall(found, 1, ranks.length),
        recall(found, 5, ranks.length),
        recall(found, CUT, ranks.length),
        recall(found, 100, ranks.length),
        precisions / ranks.length);
  }

  /**
   * The figures of a list that was put into an order.
   *
   * @param ranked the grade of each, the first first; 0 or less is not relevant
   * @param missing the grades of judged documents that are not in the list
   * @throws IllegalArgumentException if nothing is relevant
   */
  public static RankingFigures ofRanking(double[] ranked, double[] missing) {
    double[] all = new double[ranked.length + missing.length];
    System.arraycopy(ranked, 0, all, 0, ranked.length);
    System.arraycopy(missing, 0, all, ranked.length, missing.length);
    int count = (int) Arrays.stream(all).filter(grade -> grade > 0).count();
    long[] ranks = new long[count];
    double[] grades = new double[count];
    int next = 0;
    for (int i = 0; i < all.length; i++) {
      if (all[i] > 0) {
        ranks[next] = i < ranked.length ? i + 1 : 0;
        grades[next++] = all[i];
      }
    }
    return ofRanks(ranks, grades);
  }

  private static double bestGain(double[] grades) {
    double[] best = Arrays.stream(grades).sorted().toArray();
    double gain = 0;
    for (int rank = 1; rank <= Math.min(CUT, best.length); rank++) {
      gain += discounted(best[best.length - rank], rank);
    }
    return gain;
  }

  private static double discounted(double gain, long rank) {
    return gain * Math.log(2) / Math.log(rank + 1.0);
  }

  /**
   * @param found the ranks that were reached, in their order
   */
  private static double recall(long[] found, int cut, int relevant) {
    return (double) Arrays.stream(found).filter(rank -> rank <= cut).count() / relevant;
  }

  /**
   * The means over queries.
   *
   * @param queries at least one
   */
  public static RankingFigures mean(Collection<RankingFigures> queries) {
    return new RankingFigures(
        mean(queries, RankingFigures::ndcg),
        mean(queries, RankingFigures::reciprocalRank),
        mean(queries, RankingFigures::recall1),
        mean(queries, RankingFigures::recall5),
        mean(queries, RankingFigures::recall10),
        mean(queries, RankingFigures::recall100),
        mean(queries, RankingFigures::averagePrecision));
  }

  private static double mean(
      Collection<RankingFigures> queries, ToDoubleFunction<RankingFigures> figure) {
    return queries.stream().mapToDouble(figure).average().orElse(Double.NaN);
  }

  /** All by their names, {@link #NDCG} first. */
  public Map<String, Double> byName() {
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put(NDCG, ndcg);
    figures.put("mrr@10", reciprocalRank);
    figures.put("recall@1", recall1);
    figures.put("recall@5", recall5);
    figures.put("recall@10", recall10);
    figures.put("recall@100", recall100);
    figures.put("map", averagePrecision);
    return figures;
  }
}
