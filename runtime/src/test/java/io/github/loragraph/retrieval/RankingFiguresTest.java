package io.github.loragraph.retrieval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.loragraph.data.Row;
import io.github.loragraph.data.TextGroup;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Holds the figures to the example that pytrec_eval is introduced with, to rankings that were
 * worked out by hand, and to the definitions written down a second time here, over whole rankings.
 */
class RankingFiguresTest {
  private static final double EXACT = 1e-12;

  /** q1 of pytrec_eval's example: d3, d1, d2, of which d2 is relevant. */
  @Test
  void firstQueryOfThePytrecEvalExample() {
    RankingFigures figures = RankingFigures.ofRanking(new double[] {0, 0, 1}, new double[0]);
    assertEquals(1 / 3.0, figures.averagePrecision(), EXACT);
    assertEquals(0.5, figures.ndcg(), EXACT);
    assertEquals(1 / 3.0, figures.reciprocalRank(), EXACT);
    assertEquals(0, figures.recall1());
    assertEquals(1, figures.recall5());
  }

  /** q2 of it: d1, d3, d2, of which d2 and d3 are relevant. */
  @Test
  void secondQueryOfThePytrecEvalExample() {
    RankingFigures figures = RankingFigures.ofRanking(new double[] {0, 1, 1}, new double[0]);
    assertEquals(0.5833333333333333, figures.averagePrecision(), EXACT);
    assertEquals(0.6934264036172708, figures.ndcg(), EXACT);
    assertEquals(0.5, figures.reciprocalRank(), EXACT);
    assertEquals(0, figures.recall1());
  }

  @Test
  void gradesAreGainsAndTheBestRankingIsOfAllJudgements() {
    // 3/log2(2) + 2/log2(3) + 0 + 1/log2(5), against 4, 3, 2, 1 in this order.
    double log3 = Math.log(3) / Math.log(2);
    double log5 = Math.log(5) / Math.log(2);
    RankingFigures figures =
        RankingFigures.ofRanking(new double[] {3, 2, 0, 1, -1}, new double[] {4, 0});
    assertEquals(
        (3 + 2 / log3 + 1 / log5) / (4 + 3 / log3 + 2 / 2.0 + 1 / log5), figures.ndcg(), EXACT);
    assertEquals((1 + 1 + 3 / 4.0) / 4, figures.averagePrecision(), EXACT);
    assertEquals(0.25, figures.recall1(), EXACT);
    assertEquals(0.75, figures.recall5(), EXACT);
    assertEquals(0.75, figures.recall100(), EXACT);
    assertEquals(1, figures.reciprocalRank());
  }

  @Test
  void whatComesAfterTheCutDoesNotCount() {
    double[] ranked = new double[120];
    ranked[10] = 1;
    ranked[99] = 1;
    ranked[100] = 1;
    RankingFigures figures = RankingFigures.ofRanking(ranked, new double[0]);
    assertEquals(0, figures.ndcg());
    assertEquals(0, figures.reciprocalRank());
    assertEquals(0, figures.recall10());
    assertEquals(2 / 3.0, figures.recall100(), EXACT);
    assertEquals((1 / 11.0 + 2 / 100.0 + 3 / 101.0) / 3, figures.averagePrecision(), EXACT);
  }

  @Test
  void nothingRelevantHasNoFigures() {
    assertThrows(
        IllegalArgumentException.class,
        () -> RankingFigures.ofRanking(new double[] {0, 0}, new double[] {-1}));
  }

  /** Whole searches, with few and many documents, ties, and grades up to 4. */
  @Test
  void searchesAgreeWithTheDefinitions() {
    Random random = new Random(20);
    for (int round = 0; round < 120; round++) {
      int documents = 1 + random.nextInt(round % 3 == 0 ? 8 : 300);
      int queries = 1 + random.nextInt(round % 4 == 0 ? 150 : 5);
      int dimension = 1 + random.nextInt(9);
      float[][] documentVectors = vectors(random, documents, dimension);
      float[][] queryVectors = vectors(random, queries, dimension);
      List<String> ids =
          IntStream.range(0, documents)
              .mapToObj(i -> "d" + Integer.toString(i * 7919, 36))
              .toList();
      List<Relevance> relevance = new ArrayList<>();
      List<Map<String, Double>> expected = new ArrayList<>();
      for (int q = 0; q < queries; q++) {
        Map<Integer, Double> judged = new LinkedHashMap<>();
        do {
          judged.put(random.nextInt(documents), 1.0 + random.nextInt(4));
        } while (random.nextInt(4) > 0);
        relevance.add(
            new Relevance(
                judged.keySet().stream().mapToInt(i -> i).toArray(),
                judged.values().stream().mapToDouble(g -> g).toArray()));
        expected.add(defined(queryVectors[q], documentVectors, ids, judged));
      }
      RelevantRanks ranks =
          new RelevantRanks(queryVectors, relevance, i -> documentVectors[i], RankOrder.byId(ids));
      int half = documents / 2;
      ranks.add(0, Arrays.copyOfRange(documentVectors, 0, half));
      ranks.add(half, Arrays.copyOfRange(documentVectors, half, documents));
      List<RankingFigures> figures = ranks.figures();
      for (int q = 0; q < queries; q++) {
        Map<String, Double> actual = figures.get(q).byName();
        assertEquals(expected.get(q).keySet(), actual.keySet());
        expected.get(q).forEach((name, value) -> assertEquals(value, actual.get(name), 1e-9, name));
      }
    }
  }

  /** Small whole numbers: products are exact, and many are equal. */
  private static float[][] vectors(Random random, int count, int dimension) {
    float[][] vectors = new float[count][dimension];
    for (float[] vector : vectors) {
      for (int k = 0; k < dimension; k++) {
        vector[k] = random.nextInt(5) - 2;
      }
    }
    return vectors;
  }

  /** The definitions, over the whole ranking as trec_eval sorts it. */
  private static Map<String, Double> defined(
      float[] query, float[][] documents, List<String> ids, Map<Integer, Double> judged) {
    Map<Integer, Double> scores = new HashMap<>();
    for (int d = 0; d < documents.length; d++) {
      double score = 0;
      for (int k = 0; k < query.length; k++) {
        score += query[k] * documents[d][k];
      }
      scores.put(d, score);
    }
    List<Integer> ranking = new ArrayList<>(scores.keySet());
    ranking.sort(
        Comparator.comparing((Integer d) -> scores.get(d)).thenComparing(ids::get).reversed());
    double dcg = 0;
    double reciprocal = 0;
    double precisions = 0;
    int relevantSoFar = 0;
    Map<Integer, Double> recalled = new HashMap<>(Map.of(1, 0.0, 5, 0.0, 10, 0.0, 100, 0.0));
    for (int i = 0; i < ranking.size(); i++) {
      double gain = judged.getOrDefault(ranking.get(i), 0.0);
      if (gain > 0) {
        relevantSoFar++;
        precisions += (double) relevantSoFar / (i + 1);
        int rank = i + 1;
        recalled.replaceAll((cut, share) -> rank <= cut ? share + 1.0 / judged.size() : share);
      }
      if (i < 10) {
        dcg += gain / (Math.log(i + 2) / Math.log(2));
        reciprocal = reciprocal == 0 && gain > 0 ? 1.0 / (i + 1) : reciprocal;
      }
    }
    List<Double> best = judged.values().stream().sorted(Comparator.reverseOrder()).toList();
    double ideal = 0;
    for (int i = 0; i < Math.min(10, best.size()); i++) {
      ideal += best.get(i) / (Math.log(i + 2) / Math.log(2));
    }
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("ndcg@10", dcg / ideal);
    figures.put("mrr@10", reciprocal);
    for (int cut : new int[] {1, 5, 10, 100}) {
      figures.put("recall@" + cut, recalled.get(cut));
    }
    figures.put("map", precisions / judged.size());
    return figures;
  }

  @Test
  void theBestOfASearchAreThoseOfAFullSort() {
    Random random = new Random(3);
    for (int round = 0; round < 100; round++) {
      float[][] documents = vectors(random, 1 + random.nextInt(200), 3);
      float[][] queries = vectors(random, 1 + random.nextInt(70), 3);
      int most = 1 + random.nextInt(40);
      List<String> ids =
          IntStream.range(0, documents.length).mapToObj(i -> "d" + i * 7919 % 1000).toList();
      VectorSearch search = new VectorSearch(queries, most, RankOrder.byId(ids));
      for (int first = 0; first < documents.length; first += 33) {
        search.add(Arrays.copyOfRange(documents, first, Math.min(documents.length, first + 33)));
      }
      for (int q = 0; q < queries.length; q++) {
        float[] query = queries[q];
        int[] sorted =
            IntStream.range(0, documents.length)
                .boxed()
                .sorted(
                    Comparator.comparingDouble((Integer d) -> -product(query, documents[d]))
                        .thenComparing(ids::get, Comparator.reverseOrder()))
                .limit(most)
                .mapToInt(d -> d)
                .toArray();
        VectorSearch.Hits hits = search.hits(q);
        assertEquals(Arrays.toString(sorted), Arrays.toString(hits.documents()));
        for (int i = 0; i < sorted.length; i++) {
          assertEquals(product(query, documents[sorted[i]]), hits.scores()[i]);
        }
      }
    }
  }

  private static double product(float[] a, float[] b) {
    double product = 0;
    for (int k = 0; k < a.length; k++) {
      product += a[k] * b[k];
    }
    return product;
  }

  @Test
  void pairsWithScoresAreCorrelated() {
    List<TextGroup> groups = new ArrayList<>();
    double[] scores = {0.1, 0.9, 0.5, 0.5};
    for (int i = 0; i < scores.length; i++) {
      groups.add(
          new TextGroup(row("a" + i), List.of(row("b" + i)), List.of(scores[i]), "t", false));
    }
    EmbeddingMeasure measure = EmbeddingMeasure.ofGroups(groups);
    assertEquals(4, measure.documents().size());
    // Cosines 0, 1, 0.6 and 0.8, whatever the lengths.
    float[][] first = {{1, 0}, {2, 0}, {1, 0}, {5, 0}};
    float[][] second = {{0, 3}, {1, 0}, {3, 4}, {8, 6}};
    var figures = measure.report(first, second).figures();
    // Ranks 1, 4, 2, 3 against 1, 4, 2.5, 2.5.
    assertEquals(4.5 / Math.sqrt(5 * 4.5), figures.get("spearman"), 1e-9);
    // Sums of products of what differs from the means 0.6 and 0.5.
    double xy = -0.6 * -0.4 + 0.4 * 0.4;
    double xx = 0.36 + 0.16 + 0 + 0.04;
    double yy = 0.16 + 0.16;
    assertEquals(xy / Math.sqrt(xx * yy), figures.get("pearson"), 1e-6);
  }

  @Test
  void groupsAreASearchAmongTheirOwnTexts() {
    List<TextGroup> groups =
        List.of(
            new TextGroup(row("q1"), List.of(row("p1"), row("n1")), List.of(), "t", false),
            new TextGroup(row("q1"), List.of(row("p2"), row("n1")), List.of(), "t", false),
            new TextGroup(row("q2"), List.of(row("p1")), List.of(), "t", false));
    EmbeddingMeasure measure = EmbeddingMeasure.ofGroups(groups);
    assertEquals(List.of("q1", "q2"), measure.queries().stream().map(Row::text).toList());
    assertEquals(List.of("p1", "n1", "p2"), measure.documents().stream().map(Row::text).toList());
    RetrievalReport report =
        (RetrievalReport)
            measure.report(new float[][] {{1, 0}, {0, 1}}, new float[][] {{1, 1}, {3, 1}, {4, 0}});
    // q1: p2, n1, p1; q2: p1, n1, p2. Of q1's two triplets one is right.
    assertEquals((1 + 2 / 3.0) / 2 / 2 + 0.5, report.ranking().averagePrecision(), 1e-12);
    assertEquals(0.5, report.figures().get("tripletAccuracy"));
    assertEquals(2, report.examples());
    assertEquals("ndcg@10", report.scoreName());
  }

  private static Row row(String text) {
    return new Row(text, null, null, Map.of(), "t");
  }
}
