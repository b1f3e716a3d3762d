package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.training.CrossEntropyLoss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Cuts encoded sentences into windows of tokens, and finds the token that answers each word: its
 * first one.
 */
final class WordEncoder {
  private static final int UNCOUNTED = (int) CrossEntropyLoss.IGNORE_INDEX;

  private final int maxLength;
  private final @Nullable Integer stride;

  /**
   * @param maxLength tokens of a window, special ones included
   * @param stride tokens that two windows have in common; null for a quarter of their length
   */
  WordEncoder(int maxLength, @Nullable Integer stride) {
    this.maxLength = maxLength;
    this.stride = stride;
  }

  /**
   * A sentence with its tokens.
   *
   * @param wordOf the word of each token of the text; negative where it is of none
   */
  record Aligned(Sentence sentence, WordTokenizer.Tokens tokens, int[] wordOf) {
    /** The words that became no token, or share their only one with the word before. */
    int withoutToken() {
      return sentence.size()
          - (int) Arrays.stream(wordOf).filter(word -> word >= 0).distinct().count();
    }
  }

  /**
   * A window of a sentence.
   *
   * @param target the class of each token; null where there are none
   */
  record Window(Tokenizer.Tokens tokens, WordWindow words, @Nullable Values target) {}

  /** Finds the words of a row among its tokens. */
  static Aligned align(WordTokenizer tokenizer, Row row) {
    String text = String.valueOf(row.text());
    WordTokenizer.Tokens tokens = tokenizer.encode(text);
    Words given = row.words();
    int[] starts;
    int[] ends;
    if (given == null) {
      List<EntitySpan> words = tokenizer.words(text, tokens, row.place());
      starts = words.stream().mapToInt(EntitySpan::start).toArray();
      ends = words.stream().mapToInt(EntitySpan::end).toArray();
    } else {
      starts = new int[given.texts().size()];
      ends = new int[starts.length];
      int at = 0;
      for (int word = 0; word < starts.length; word++) {
        String itsText = given.texts().get(word);
        starts[word] = at;
        ends[word] = at + itsText.codePointCount(0, itsText.length());
        at = ends[word] + 1;
      }
    }
    Sentence sentence = new Sentence(text, row.lead(), starts, ends, given != null, null);
    return new Aligned(sentence, tokens, wordOf(tokens, starts, ends));
  }

  /** Words and tokens come in the order of the text. */
  private static int[] wordOf(WordTokenizer.Tokens tokens, int[] starts, int[] ends) {
    int[] wordOf = new int[tokens.size()];
    int word = 0;
    for (int t = 0; t < wordOf.length; t++) {
      boolean empty = tokens.starts()[t] == tokens.ends()[t];
      while (word < ends.length && !empty && ends[word] <= tokens.starts()[t]) {
        word++;
      }
      boolean inside = word < starts.length && !empty && starts[word] < tokens.ends()[t];
      wordOf[t] = inside ? word : -1;
    }
    return wordOf;
  }

  /**
   * The windows of a sentence: one, where it is no longer than a row may be.
   *
   * @param names of the classes, for what goes on with an entity
   * @param allSubwords whether all tokens of a word have a target, not its first alone
   */
  List<Window> windows(Aligned aligned, List<String> names, boolean allSubwords) {
    WordTokenizer.Tokens tokens = aligned.tokens;
    int room = maxLength - tokens.before() - tokens.after();
    if (room < 1) {
      throw new LoraGraphException(
          "a maximum length of %d tokens leaves no room for a text beside the special tokens"
              .formatted(maxLength),
          Remedy.ALLOW_MORE_TOKENS);
    }
    int overlap = stride == null ? room / 4 : stride;
    if (overlap >= room) {
      throw new LoraGraphException(
          "windows of %d tokens of the text cannot have %d in common".formatted(room, overlap),
          Remedy.LESS_OVERLAP.with(room - 1));
    }
    int[] begins = begins(tokens.size(), room, overlap);
    int[] owners = owners(aligned, begins, room);
    List<Window> windows = new ArrayList<>();
    for (int w = 0; w < begins.length; w++) {
      windows.add(window(aligned, begins[w], room, w, owners, names, allSubwords));
    }
    return windows;
  }

  /** The last window ends with the text, so that it has as much context as the others. */
  private static int[] begins(int size, int room, int overlap) {
    if (size <= room) {
      return new int[] {0};
    }
    int step = room - overlap;
    int count = (size - overlap + step - 1) / step;
    return IntStream.range(0, count).map(w -> Math.min(w * step, size - room)).toArray();
  }

  /** The window that answers each word: the one that has most tokens on its poorer side. */
  private static int[] owners(Aligned aligned, int[] begins, int room) {
    int words = aligned.sentence.size();
    int[] first = new int[words];
    int[] last = new int[words];
    Arrays.fill(first, -1);
    for (int t = 0; t < aligned.wordOf.length; t++) {
      int word = aligned.wordOf[t];
      if (word >= 0) {
        first[word] = first[word] < 0 ? t : first[word];
        last[word] = t;
      }
    }
    int[] owners = new int[words];
    for (int word = 0; word < words; word++) {
      owners[word] = -1;
      int best = Integer.MIN_VALUE;
      for (int w = 0; first[word] >= 0 && w < begins.length; w++) {
        int left = first[word] - begins[w];
        int context = Math.min(left, begins[w] + room - 1 - last[word]);
        if (left >= 0 && first[word] < begins[w] + room && context > best) {
          best = context;
          owners[word] = w;
        }
      }
    }
    return owners;
  }

  private static Window window(
      Aligned aligned,
      int begin,
      int room,
      int number,
      int[] owners,
      List<String> names,
      boolean allSubwords) {
    WordTokenizer.Tokens all = aligned.tokens;
    int size = Math.min(room, all.size() - begin);
    int length = all.before() + size + all.after();
    int[] target = new int[length];
    Arrays.fill(target, UNCOUNTED);
    int[] classes = aligned.sentence.classes();
    IntStream.Builder tokens = IntStream.builder();
    IntStream.Builder words = IntStream.builder();
    int before = -1;
    for (int t = 0; t < size; t++) {
      int word = aligned.wordOf[begin + t];
      if (word < 0 || owners[word] != number) {
        continue;
      }
      int place = all.before() + t;
      if (word != before) {
        tokens.add(place);
        words.add(word);
        target[place] = classes == null ? UNCOUNTED : classes[word];
      } else if (allSubwords && classes != null && classes[word] >= 0) {
        int goesOn = names.indexOf(TagScheme.goingOn(names.get(classes[word])));
        target[place] = goesOn < 0 ? classes[word] : goesOn;
      }
      before = word;
    }
    return new Window(
        new Tokenizer.Tokens(
            slice(all.ids(), all, begin, size), slice(all.types(), all, begin, size), false),
        new WordWindow(aligned.sentence, number, tokens.build().toArray(), words.build().toArray()),
        classes == null ? null : Values.of(target));
  }

  private static int[] slice(int[] all, WordTokenizer.Tokens tokens, int begin, int size) {
    int[] slice = new int[tokens.before() + size + tokens.after()];
    System.arraycopy(all, 0, slice, 0, tokens.before());
    System.arraycopy(all, tokens.before() + begin, slice, tokens.before(), size);
    System.arraycopy(
        all, tokens.before() + tokens.size(), slice, tokens.before() + size, tokens.after());
    return slice;
  }
}
