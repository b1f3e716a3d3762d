package io.github.loragraph;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * An example, or a token, that a model answers otherwise than its label says.
 *
 * @param place what messages call the example: {@code dev.tsv:7}
 * @param token the number of the token, from 0, where each has a label
 * @param label as the data says; several names, or numbers, divided by commas and empty for none
 * @param answer the model's, written in the same way
 * @param loss the example's own: cross-entropy, binary cross-entropy (mean over the classes), or
 *     squared error
 * @param text of the example or token; empty where there are only numbers and no tokenizer
 * @param before of a word of a sentence those before it, ten at most, as they stand in the text
 * @param after the same of those after it
 * @param textPair the second text of a pair
 */
public record Mistake(
    String place,
    OptionalInt token,
    String label,
    String answer,
    double loss,
    Optional<String> text,
    Optional<String> before,
    Optional<String> after,
    Optional<String> textPair) {}
