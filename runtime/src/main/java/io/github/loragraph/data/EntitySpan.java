package io.github.loragraph.data;

/**
 * Something that is named in a text.
 *
 * @param start where it begins: a character of the text (a code point, as Python counts) or one of
 *     its words, from 0
 * @param end where it ends, not counted in
 * @param type what it is: {@code PER}
 */
public record EntitySpan(int start, int end, String type) {}
