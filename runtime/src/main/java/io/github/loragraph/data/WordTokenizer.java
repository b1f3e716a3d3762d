package io.github.loragraph.data;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.error.Remedy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Turns text into tokens and says which characters of it each one stands for. Nothing is cut. Holds
 * native memory: who reads one closes it.
 */
public final class WordTokenizer implements AutoCloseable {
  private static final int LONGEST_SHOWN = 40;

  private final Path file;
  private final HuggingFaceTokenizer tokenizer;

  private WordTokenizer(Path file, HuggingFaceTokenizer tokenizer) {
    this.file = file;
    this.tokenizer = tokenizer;
  }

  /**
   * Reads a tokenizer.
   *
   * @param file a {@code tokenizer.json}
   * @throws LoraGraphException if the file cannot be read
   */
  public static WordTokenizer read(Path file) {
    Map<String, String> options =
        Map.of("addSpecialTokens", "true", "padding", "false", "truncation", "false");
    return new WordTokenizer(file, Tokenizer.open(file, TokenizerFile.read(file), options));
  }

  /**
   * The tokens of a text.
   *
   * @param ids of all, special ones included
   * @param types of all
   * @param before the number of special ones before those of the text
   * @param after the number of special ones after them
   * @param starts where the tokens of the text begin, in code points of it, spaces not counted in
   * @param ends where they end; what stands for no character but spaces ends where it begins
   * @param words of the tokens, by the tokenizer's own numbers; -1 where it says none
   */
  record Tokens(
      int[] ids, int[] types, int before, int after, int[] starts, int[] ends, long[] words) {
    /** The number of tokens that are of the text. */
    int size() {
      return starts.length;
    }
  }

  /**
   * Encodes a text, whole.
   *
   * @throws LoraGraphException if the tokenizer has no token for a part of it
   */
  Tokens encode(String text) {
    Encoding encoding;
    try {
      encoding = tokenizer.encode(text);
    } catch (RuntimeException e) {
      throw new LoraGraphException(
          "%s cannot encode '%s': %s"
              .formatted(file, PlainText.shortened(text, LONGEST_SHOWN), Tokenizer.firstLine(e)),
          e);
    }
    int[] ids = Tokenizer.ints(file, encoding.getIds());
    long[] special = encoding.getSpecialTokenMask();
    int before = 0;
    while (before < ids.length && special[before] != 0) {
      before++;
    }
    int after = 0;
    while (after < ids.length - before && special[ids.length - 1 - after] != 0) {
      after++;
    }
    int size = ids.length - before - after;
    int[] starts = new int[size];
    int[] ends = new int[size];
    CharSpan[] spans = encoding.getCharTokenSpans();
    int[] characters = text.codePoints().toArray();
    for (int t = 0; t < size; t++) {
      CharSpan span = spans[before + t];
      starts[t] = span == null ? 0 : span.getStart();
      ends[t] = span == null ? 0 : Math.min(span.getEnd(), characters.length);
      while (starts[t] < ends[t] && isSpace(characters[starts[t]])) {
        starts[t]++;
      }
      while (starts[t] < ends[t] && isSpace(characters[ends[t] - 1])) {
        ends[t]--;
      }
    }
    return new Tokens(
        ids,
        Tokenizer.ints(file, encoding.getTypeIds()),
        before,
        after,
        starts,
        ends,
        Arrays.copyOfRange(encoding.getWordIds(), before, before + size));
  }

  private static boolean isSpace(int character) {
    return Character.isWhitespace(character) || Character.isSpaceChar(character);
  }

  /**
   * The words that the tokenizer divides a text into before it makes tokens of them.
   *
   * @return their spans
   * @throws LoraGraphException if it does not divide texts into words
   */
  List<EntitySpan> words(String text, Tokens tokens, String place) {
    List<EntitySpan> words = new ArrayList<>();
    long before = -1;
    for (int t = 0; t < tokens.size(); t++) {
      int last = words.size() - 1;
      boolean same = tokens.words[t] >= 0 && tokens.words[t] == before && last >= 0;
      before = tokens.words[t];
      if (tokens.starts[t] == tokens.ends[t]) {
        continue;
      }
      if (tokens.words[t] < 0) {
        throw noWords(place);
      }
      if (same) {
        EntitySpan word = words.get(last);
        words.set(
            last,
            new EntitySpan(
                Math.min(word.start(), tokens.starts[t]),
                Math.max(word.end(), tokens.ends[t]),
                ""));
      } else {
        words.add(new EntitySpan(tokens.starts[t], tokens.ends[t], ""));
      }
    }
    if (words.size() == 1) {
      int from = text.offsetByCodePoints(0, words.get(0).start());
      int to = text.offsetByCodePoints(0, words.get(0).end());
      if (text.substring(from, to).codePoints().anyMatch(WordTokenizer::isSpace)) {
        throw noWords(place);
      }
    }
    return words;
  }

  private LoraGraphException noWords(String place) {
    return new LoraGraphException(
        "%s: %s does not divide a text into words (it has no pre_tokenizer), so entities cannot be told in it"
            .formatted(place, file),
        Remedy.GIVE_WORDS);
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
