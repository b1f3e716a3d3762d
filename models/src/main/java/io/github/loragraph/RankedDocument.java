package io.github.loragraph;

/**
 * A document in the ranking of a query.
 *
 * @param index its place among the documents that were given, from 0
 * @param text the document
 * @param score how relevant it is, from 0 to 1: the sigmoid of the model's logit
 * @param truncated whether query and document were cut at the maximum length
 */
public record RankedDocument(int index, String text, double score, boolean truncated) {}
