package io.github.loragraph.data;

import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The words of a row's text and where they stand. Characters are code points.
 *
 * @param text as the tokenizer got it
 * @param lead the characters that stood before it in the row: spaces, which it lost
 * @param starts of the words, in characters of the text
 * @param ends of the words, in characters of the text, not counted in
 * @param given whether the row gave the words; else the tokenizer found them
 * @param classes of the words, {@code -100} for those that do not count; null where there are none
 */
public record Sentence(
    String text, int lead, int[] starts, int[] ends, boolean given, int @Nullable [] classes) {
  /** The number of words. */
  public int size() {
    return starts.length;
  }

  /** The text from one word to another. */
  public String between(int first, int last) {
    int from = text.offsetByCodePoints(0, starts[first]);
    return text.substring(from, text.offsetByCodePoints(from, ends[last] - starts[first]));
  }

  /** The texts of all words. */
  public List<String> words() {
    return IntStream.range(0, size()).mapToObj(word -> between(word, word)).toList();
  }

  Sentence with(int[] itsClasses) {
    return new Sentence(text, lead, starts, ends, given, itsClasses);
  }
}
