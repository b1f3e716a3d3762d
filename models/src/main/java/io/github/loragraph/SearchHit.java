package io.github.loragraph;

/**
 * A document that a search found.
 *
 * @param document its id
 * @param score the cosine of its vector and the query's
 */
public record SearchHit(String document, double score) {}
