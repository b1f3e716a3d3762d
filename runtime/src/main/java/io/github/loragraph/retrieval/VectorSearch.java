package io.github.loragraph.retrieval;

import java.util.Arrays;
import java.util.List;

/**
 * Exact search: holds every document against every query and keeps the best of each. Documents are
 * added block by block and need not stay in memory.
 */
public final class VectorSearch {
  private final List<QueryBlock> blocks;
  private final Best[] best;
  private final Filter filter;
  private int added;

  /** Says which documents a query may find. */
  @FunctionalInterface
  interface Filter {
    /**
     * Asked in the order of the documents, of each that is good enough to be kept, and of one query
     * by one thread at a time.
     */
    boolean takes(int query, int document, float score);
  }

  /**
   * @param queries their vectors; of length 1 where scores are to be cosines
   * @param most documents that are kept for a query, at least 1
   * @param order of documents
   */
  VectorSearch(float[][] queries, int most, RankOrder order) {
    this(queries, most, order, (query, document, score) -> true);
  }

  /**
   * The same without some documents, in whose place others are kept.
   *
   * @param filter says which
   */
  VectorSearch(float[][] queries, int most, RankOrder order, Filter filter) {
    this.blocks = QueryBlock.of(queries);
    this.best = new Best[queries.length];
    this.filter = filter;
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
                  int query = block.first + q;
                  if (best[query].wants(added + d, scores[q])
                      && filter.takes(query, added + d, scores[q])) {
                    best[query].put(added + d, scores[q]);
                  }
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
    private final RankOrder order;
    private int size;

    Best(int most, RankOrder order) {
      this.most = most;
      this.order = order;
    }

    boolean wants(int document, float score) {
      return size < most || order.isBefore(score, document, scores[0], documents[0]);
    }

    /** Puts in what is wanted. */
    void put(int document, float score) {
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
        set(place, document, score);
      } else {
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
      set(place, document, score);
    }

    private boolean isWorse(int document, float score, int than) {
      return order.isBefore(scores[than], documents[than], score, document);
    }

    private void move(int from, int to) {
      set(to, documents[from], scores[from]);
    }

    private void set(int place, int document, float score) {
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
