package io.github.loragraph.data;

import java.util.List;

/**
 * A text that is given as its words: the text is the words with a space between them.
 *
 * @param texts of the words, in their order
 * @param lineEach whether each word has a line of the file to itself, from that of the row on
 */
public record Words(List<String> texts, boolean lineEach) {
  public Words {
    texts = List.copyOf(texts);
  }

  /** The words with a space between them. */
  public String text() {
    return String.join(" ", texts);
  }
}
