package io.github.loragraph.data;

/**
 * Which words of a sentence an example answers, and by which tokens: all words, but where the
 * sentence is longer than a row may be and is cut into windows that overlap. Then each word is
 * answered by the window in which it has most context, and by no other.
 *
 * @param sentence shared by all windows of it
 * @param number of the window, from 0; those of a sentence come one after the other
 * @param tokens for each word that is answered here, its first token in the example
 * @param words their numbers in the sentence, rising
 */
public record WordWindow(Sentence sentence, int number, int[] tokens, int[] words) {}
