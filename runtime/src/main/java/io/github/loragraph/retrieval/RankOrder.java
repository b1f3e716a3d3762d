package io.github.loragraph.retrieval;

import java.util.List;

/**
 * The order of what a search finds, which is that of {@code trec_eval}: by score, the highest
 * first, and of equal scores (32-bit floats, as there) by id, the last one first.
 */
@FunctionalInterface
interface RankOrder {
  /** For texts without ids: the one that was added last counts as the one with the last id. */
  RankOrder WITHOUT_IDS = (document, other) -> document > other;

  /** Whether a document comes before another one of the same score. */
  boolean isFirst(int document, int other);

  /**
   * @param ids of all documents, by their numbers
   */
  static RankOrder byId(List<String> ids) {
    return (document, other) -> ids.get(document).compareTo(ids.get(other)) > 0;
  }

  /** Whether a document comes before another one; of a score that is no number never. */
  default boolean isBefore(float score, int document, float otherScore, int other) {
    return score > otherScore || score == otherScore && isFirst(document, other);
  }
}
