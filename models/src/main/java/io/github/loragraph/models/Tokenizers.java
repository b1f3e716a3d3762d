package io.github.loragraph.models;

import io.github.loragraph.data.Tokenizer;
import io.github.loragraph.data.WordTokenizer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The tokenizers of a model folder, each opened when it is first asked for, by any thread. Its
 * maker closes it, and them with it.
 */
final class Tokenizers implements AutoCloseable {
  private final ModelFolder folder;
  private final Map<Integer, Tokenizer> byLength = new HashMap<>();
  private @Nullable WordTokenizer ofWords;
  private boolean closed;

  Tokenizers(ModelFolder folder) {
    this.folder = folder;
  }

  /**
   * The tokenizer for rows of so many tokens.
   *
   * @throws io.github.loragraph.error.LoraGraphException if the folder has none
   */
  synchronized Tokenizer of(int maxLength) {
    requireOpen();
    Tokenizer tokenizer = byLength.get(maxLength);
    if (tokenizer == null) {
      tokenizer = folder.tokenizer(maxLength);
      byLength.put(maxLength, tokenizer);
    }
    return tokenizer;
  }

  /**
   * The tokenizer for what is read by words.
   *
   * @throws io.github.loragraph.error.LoraGraphException if the folder has none
   */
  synchronized WordTokenizer ofWords() {
    requireOpen();
    if (ofWords == null) {
      ofWords = folder.wordTokenizer();
    }
    return ofWords;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("closed already");
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    byLength.values().forEach(Tokenizer::close);
    byLength.clear();
    if (ofWords != null) {
      ofWords.close();
      ofWords = null;
    }
  }
}
