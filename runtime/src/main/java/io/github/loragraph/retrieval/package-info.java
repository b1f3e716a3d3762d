/**
 * Retrieval: corpora, queries and relevance judgements, exact search among vectors, and the figures
 * by which rankings and similarities are judged.
 */
@NullMarked
package io.github.loragraph.retrieval;

import org.jspecify.annotations.NullMarked;
