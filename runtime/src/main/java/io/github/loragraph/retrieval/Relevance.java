package io.github.loragraph.retrieval;

/**
 * What is relevant to a query.
 *
 * @param documents by their numbers, each once; at least one
 * @param grades of each, above 0
 */
public record Relevance(int[] documents, double[] grades) {
  int size() {
    return documents.length;
  }
}
