package io.github.loragraph;

/**
 * Something that a model finds named in a text. Immutable.
 *
 * @param text as it stands there
 * @param start where it begins in the text, in characters (code points, as Python counts; {@link
 *     String#offsetByCodePoints} makes an index of them), from 0. A text that was given as words is
 *     those words with a space between them
 * @param end where it ends, not counted in
 * @param type what it is: {@code PER}
 * @param score the mean over its words of the probability of the tag that each is given, by its
 *     first token
 */
public record Entity(String text, int start, int end, String type, double score) {}
