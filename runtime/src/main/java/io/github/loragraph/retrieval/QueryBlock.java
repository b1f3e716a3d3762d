package io.github.loragraph.retrieval;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Some queries, laid out so that the dot products of all of them with a document are computed side
 * by side. A product depends on its two vectors alone, and on nothing that stands beside them.
 */
final class QueryBlock {
  /** Queries of a block: their vectors stay in the processor's cache. */
  static final int SIZE = 64;

  /** The number of the first query. */
  final int first;

  final int count;

  /** [dimension][SIZE], filled up with zeros. */
  private final float[] transposed;

  private final int dimension;

  private QueryBlock(float[][] queries, int first) {
    this.first = first;
    this.count = Math.min(SIZE, queries.length - first);
    this.dimension = queries[first].length;
    this.transposed = new float[dimension * SIZE];
    for (int q = 0; q < count; q++) {
      for (int k = 0; k < dimension; k++) {
        transposed[k * SIZE + q] = queries[first + q][k];
      }
    }
  }

  static List<QueryBlock> of(float[][] queries) {
    List<QueryBlock> blocks = new ArrayList<>();
    for (int first = 0; first < queries.length; first += SIZE) {
      blocks.add(new QueryBlock(queries, first));
    }
    return blocks;
  }

  /**
   * Dot products with a document.
   *
   * @param scores gets one for each query; of length {@link #SIZE}
   */
  void score(float[] document, float[] scores) {
    if (document.length != dimension) {
      throw new IllegalArgumentException(
          "a vector of %d numbers among those of %d".formatted(document.length, dimension));
    }
    Arrays.fill(scores, 0);
    int k = 0;
    for (; k + 3 < dimension; k += 4) {
      float a = document[k];
      float b = document[k + 1];
      float c = document[k + 2];
      float d = document[k + 3];
      int row = k * SIZE;
      // Without a sum over the inner loop, so that it becomes vector instructions.
      for (int q = 0; q < SIZE; q++) {
        scores[q] =
            scores[q]
                + a * transposed[row + q]
                + b * transposed[row + SIZE + q]
                + c * transposed[row + 2 * SIZE + q]
                + d * transposed[row + 3 * SIZE + q];
      }
    }
    for (; k < dimension; k++) {
      for (int q = 0; q < SIZE; q++) {
        scores[q] += document[k] * transposed[k * SIZE + q];
      }
    }
  }
}
