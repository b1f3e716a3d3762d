package io.github.loragraph;

import java.util.List;

/**
 * A query with its documents, the most relevant one first.
 *
 * @param query as it was given
 * @param documents of equal scores in the order in which they were given
 */
public record Ranking(String query, List<RankedDocument> documents) {
  public Ranking {
    documents = List.copyOf(documents);
  }
}
