package io.github.loragraph.retrieval;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Exact search: holds every document against every query and keeps the best of each. Documents are
 * added block by block and need not stay in memory. Of equal scores the document that was added
 * first is better.
 */
public final class VectorSearch {
  private final List<QueryBlock> blocks;
  private final Best[] best;
  private int added;

  /**
   * @param queries their vectors; of length 1 where scores are to be cosines
   * @param most documents that are kept for a query, at least 1
   */
  public VectorSearch(float[][] queries, int most) {
    this(queries, most, null);
  }

  /**
   * The same with another order of documents whose scores are equal.
   *
   * @param order of each document a number, the lowest of equals being the best; null for the order
   *     in which they are added
   */
  VectorSearch(float[][] queries, int most, int @Nullable [] order) {
    blocks = QueryBlock.of(queries);
    best = new Best[queries.length];
    Arrays.setAll(best, i -> new Best(most, order));
  }

  /** Adds documents, which are numbered on: the first one is 0. */
  public void add(float[][] documents) {
    blocks.parallelStream()
        .forEach(
            block -> {
              float[] scores = new float[QueryBlock.SIZE];
              for (int d = 0; d < documents.length; d++) {
                block.score(documents[d], scores);
                for (int q = 0; q < block.count; q++) {
                  best[block.first + q].offer(added + d, scores[q]);
                }
              }
            });
    added += documents.length;
  }

  /**
   * The best documents of a query so far, the best first.
   *
   * @param query its number
   */
  public Hits hits(int query) {
    return best[query].sorted();
  }

  /**
   * Documents with their scores, the best first.
   *
   * @param documents by their numbers
   * @param scores as many
   */
  public record Hits(int[] documents, float[] scores) {}

  /** A heap with the worst of the best on top. */
  private static final class Best {
    private int[] documents = new int[0];
    private float[] scores = new float[0];
    private final int most;
    private final int @Nullable [] order;
    private int size;

    Best(int most, int @Nullable [] order) {
      this.most = most;
      this.order = order;
    }

    void offer(int document, float score) {
      if (size < most) {
        if (size == scores.length) {
          int room = Math.min(most, Math.max(16, 2 * size));
          documents = Arrays.copyOf(documents, room);
          scores = Arrays.copyOf(scores, room);
        }
        int place = size++;
        for (; place > 0 && isWorse(document, score, (place - 1) / 2); place = (place - 1) / 2) {
          move((place - 1) / 2, place);
        }
        put(place, document, score);
      } else if (!isWorse(document, score, 0)) {
        sink(0, document, score);
      }
    }

    private void sink(int from, int document, float score) {
      int place = from;
      for (int child = 2 * place + 1; child < size; child = 2 * place + 1) {
        if (child + 1 < size && isWorse(documents[child + 1], scores[child + 1], child)) {
          child++;
        }
        if (isWorse(document, score, child)) {
          break;
        }
        move(child, place);
        place = child;
      }
      put(place, document, score);
    }

    private boolean isWorse(int document, float score, int than) {
      return score < scores[than]
          || score == scores[than] && place(document) > place(documents[than]);
    }

    private int place(int document) {
      return order == null ? document : order[document];
    }

    private void move(int from, int to) {
      put(to, documents[from], scores[from]);
    }

    private void put(int place, int document, float score) {
      documents[place] = document;
      scores[place] = score;
    }

    Hits sorted() {
      Best rest = new Best(most, order);
      rest.documents = documents.clone();
      rest.scores = scores.clone();
      rest.size = size;
      int[] sorted = new int[size];
      float[] theirs = new float[size];
      for (int i = size - 1; i >= 0; i--) {
        sorted[i] = rest.documents[0];
        theirs[i] = rest.scores[0];
        rest.size--;
        rest.sink(0, rest.documents[rest.size], rest.scores[rest.size]);
      }
      return new Hits(sorted, theirs);
    }
  }
}
