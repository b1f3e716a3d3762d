package io.github.loragraph.retrieval;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * Finds the rank of each relevant document among all documents, by counting those that come before
 * it: all figures of a ranking follow from these ranks, so that no ranking has to be kept, and the
 * documents come block by block.
 *
 * <p>Documents come in a {@link RankOrder}.
 */
final class RelevantRanks {
  private final List<QueryBlock> blocks;
  private final RankOrder order;
  private final Query[] queries;

  /** The relevant documents of one query, the one with the lowest score first. */
  private static final class Query {
    private final int[] relevant;
    private final float[] scores;
    private final double[] grades;
    private final Map<Integer, Integer> places = new HashMap<>();
    private final long[] before;

    Query(int[] relevant, float[] scores, double[] grades) {
      this.relevant = relevant;
      this.scores = scores;
      this.grades = grades;
      this.before = new long[relevant.length];
      for (int i = 0; i < relevant.length; i++) {
        places.put(relevant[i], i);
      }
    }
  }

  /**
   * @param queries their vectors; of length 1 where scores are to be cosines
   * @param relevance of each query
   * @param vectors gives the vector of a relevant document by its number
   * @param order of documents
   */
  RelevantRanks(
      float[][] queries, List<Relevance> relevance, IntFunction<float[]> vectors, RankOrder order) {
    this.blocks = QueryBlock.of(queries);
    this.order = order;
    this.queries = new Query[queries.length];
    for (QueryBlock block : blocks) {
      float[] scores = new float[QueryBlock.SIZE];
      for (int q = 0; q < block.count; q++) {
        Relevance relevant = relevance.get(block.first + q);
        Integer[] sorting = new Integer[relevant.size()];
        float[] theirs = new float[sorting.length];
        for (int i = 0; i < sorting.length; i++) {
          sorting[i] = i;
          block.score(vectors.apply(relevant.documents()[i]), scores);
          theirs[i] = scores[q];
        }
        Arrays.sort(
            sorting,
            (a, b) ->
                order.isBefore(
                        theirs[a], relevant.documents()[a], theirs[b], relevant.documents()[b])
                    ? 1
                    : a.equals(b) ? 0 : -1);
        int[] documents = new int[sorting.length];
        float[] sorted = new float[sorting.length];
        double[] grades = new double[sorting.length];
        for (int i = 0; i < sorting.length; i++) {
          documents[i] = relevant.documents()[sorting[i]];
          sorted[i] = theirs[sorting[i]];
          grades[i] = relevant.grades()[sorting[i]];
        }
        this.queries[block.first + q] = new Query(documents, sorted, grades);
      }
    }
  }

  /**
   * Adds documents.
   *
   * @param first the number of the first one
   */
  void add(int first, float[][] documents) {
    blocks.parallelStream()
        .forEach(
            block -> {
              float[] scores = new float[QueryBlock.SIZE];
              for (int d = 0; d < documents.length; d++) {
                block.score(documents[d], scores);
                for (int q = 0; q < block.count; q++) {
                  count(queries[block.first + q], first + d, scores[q]);
                }
              }
            });
  }

  private void count(Query query, int document, float score) {
    // The vector of a text differs in its last digits with the batch that it was computed in: a
    // relevant document is held against others by the one score that it has from the beginning.
    if (score < query.scores[0] || query.places.containsKey(document)) {
      return;
    }
    for (int i = 0; i < query.relevant.length; i++) {
      if (!order.isBefore(score, document, query.scores[i], query.relevant[i])) {
        return;
      }
      query.before[i]++;
    }
  }

  /** The figures of each query, after all documents were added. */
  List<RankingFigures> figures() {
    return Arrays.stream(queries)
        .map(
            query -> {
              long[] ranks = new long[query.relevant.length];
              for (int i = 0; i < ranks.length; i++) {
                ranks[i] = 1 + query.before[i] + (ranks.length - 1 - i);
              }
              return RankingFigures.ofRanks(ranks, query.grades);
            })
        .toList();
  }
}
