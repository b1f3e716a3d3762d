package io.github.loragraph.models;

import io.github.loragraph.data.Tokenizer;
import io.github.loragraph.data.WordTokenizer;
import io.github.loragraph.error.LoraGraphException;
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

  /** What whoever asks for a tokenizer is to be told first: once, the native code says it once. */
  private final Map<Integer, LoraGraphException> failures = new HashMap<>();

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
    LoraGraphException failure = failures.remove(maxLength);
    if (failure != null) {
      throw failure;
    }
    Tokenizer tokenizer = byLength.get(maxLength);
    if (tokenizer == null) {
      tokenizer = folder.tokenizer(maxLength);
      byLength.put(maxLength, tokenizer);
    }
    return tokenizer;
  }

  /** Begins to open one on a thread of its own. What goes wrong is told to the first who asks. */
  void openAhead(int maxLength) {
    Thread thread = new Thread(() -> open(maxLength), "lora-graph tokenizer");
    thread.setDaemon(true);
    thread.start();
  }

  private synchronized void open(int maxLength) {
    if (closed) {
      return;
    }
    try {
      of(maxLength);
    } catch (LoraGraphException e) {
      failures.put(maxLength, e);
    } catch (RuntimeException | Error e) {
      // Out of memory, for one: who asks tries again.
    }
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
