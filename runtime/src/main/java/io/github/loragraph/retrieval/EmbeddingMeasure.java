package io.github.loragraph.retrieval;

import io.github.loragraph.data.Row;
import io.github.loragraph.data.TextGroup;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.task.Report;
import java.util.List;

/**
 * Held-out data of an embedding model: texts to be made vectors of, by one encoder or two, and what
 * the vectors say of it. Texts are without a prefix. Immutable.
 */
public interface EmbeddingMeasure {
  /** Texts of the query's side. */
  List<Row> queries();

  /** Texts of the document's side. */
  List<Row> documents();

  /**
   * How good the vectors are; their lengths do not matter, since cosines are measured.
   *
   * @param queryVectors one for each of {@link #queries}
   * @param documentVectors one for each of {@link #documents}
   */
  Report report(float[][] queryVectors, float[][] documentVectors);

  /** A search in a corpus. */
  static EmbeddingMeasure ofSearch(SearchSet set) {
    return set.measure();
  }

  /**
   * Groups of texts. Where each is a pair with a score, how the cosines follow the scores ({@link
   * SimilarityReport}). Else a search by each anchor among all positives and negatives of the set,
   * its own positives being relevant, and the accuracy of the triplets where there are negatives
   * ({@link RetrievalReport}).
   *
   * @throws LoraGraphException if some pairs have a score and others have none, or a score is no
   *     number
   */
  static EmbeddingMeasure ofGroups(List<TextGroup> groups) {
    boolean scored = groups.stream().anyMatch(group -> !group.scores().isEmpty());
    boolean negatives = groups.stream().anyMatch(group -> !group.negatives().isEmpty());
    return scored && !negatives ? ScoredPairs.of(groups) : new GroupSearch(groups);
  }
}
