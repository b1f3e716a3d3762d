package io.github.loragraph.data;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.ort.NativeOwners;
import io.github.loragraph.training.CrossEntropyLoss;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Turns text into token ids by a {@code tokenizer.json} of Hugging Face's tokenizers library. The
 * file alone decides how, but for truncation and padding, which are overridden: rows are cut at the
 * given length, and padded later, batch by batch. Holds native memory: who reads one closes it.
 */
public final class Tokenizer implements AutoCloseable {
  /** The inputs that a tokenizer can make. */
  public static final Set<String> INPUTS = Set.of("input_ids", "attention_mask", "token_type_ids");

  private static final int LONGEST_SHOWN = 40;

  private final Path file;
  private final HuggingFaceTokenizer tokenizer;
  private final long padId;
  private final int maxLength;
  private final Set<Integer> special;

  /** Null until it is asked for. */
  private volatile @Nullable MaskVocabulary masks;

  /** Cuts the second text of a pair alone; null until a first one is too long for that. */
  private @Nullable HuggingFaceTokenizer cuttingSecond;

  private Tokenizer(
      Path file, HuggingFaceTokenizer tokenizer, long padId, Set<Integer> special, int maxLength) {
    this.file = file;
    this.tokenizer = tokenizer;
    this.padId = padId;
    this.special = special;
    this.maxLength = maxLength;
  }

  /**
   * Reads a tokenizer.
   *
   * @param file a {@code tokenizer.json}
   * @param maxLength tokens of a row, special ones included
   * @throws LoraGraphException if the file cannot be read
   */
  public static Tokenizer read(Path file, int maxLength) {
    if (maxLength < 3) {
      throw new LoraGraphException(
          "a maximum length of " + maxLength + " tokens leaves no room for text: give 3 or more");
    }
    TokenizerFile content = TokenizerFile.read(file);
    return new Tokenizer(
        file,
        open(file, content, options(maxLength, "true")),
        content.padId(),
        content.specialIds(),
        maxLength);
  }

  /** What makes tokens of text, which decides what they are. */
  public static String versionOfLibrary() {
    Package library = HuggingFaceTokenizer.class.getPackage();
    String version = library.getImplementationVersion();
    return "" + (version == null ? library.getSpecificationVersion() : version);
  }

  private static Map<String, String> options(int maxLength, String truncation) {
    return Map.of(
        "addSpecialTokens",
        "true",
        "padding",
        "false",
        "truncation",
        truncation,
        "stride",
        "0",
        "maxLength",
        Integer.toString(maxLength),
        "modelMaxLength",
        Integer.toString(maxLength));
  }

  /**
   * The library's tokenizer of a file, whose maker closes it.
   *
   * @throws LoraGraphException if the file cannot be read
   */
  static HuggingFaceTokenizer open(Path file, TokenizerFile content, Map<String, String> options) {
    TokenizerLibrary.prepare();
    try {
      HuggingFaceTokenizer tokenizer =
          HuggingFaceTokenizer.newInstance(
              new ByteArrayInputStream(content.withoutLengths()), options);
      NativeOwners.made("tokenizer", tokenizer::isReleased);
      return tokenizer;
    } catch (EngineException | LinkageError e) {
      throw new LoraGraphException(
          "cannot load the native library of the tokenizers: " + firstLine(e), e);
    } catch (IOException | RuntimeException e) {
      throw TokenizerFile.refusal(file, firstLine(e), e);
    }
  }

  static String firstLine(Throwable e) {
    return e.getMessage() == null ? e.toString() : e.getMessage().lines().findFirst().orElse("");
  }

  /** The id that fills up short rows of {@code input_ids}. */
  public long padId() {
    return padId;
  }

  /**
   * The tokens of a text or a pair, special ones included.
   *
   * @param types for each token, 0 in the first text and 1 in the second, as far as the tokenizer
   *     tells them apart
   * @param cut whether the text was longer than the maximum
   */
  public record Tokens(int[] ids, int[] types, boolean cut) {}

  /**
   * Encodes texts, or pairs of texts. What is too long loses tokens at its end; of a pair the
   * longer text one after the other until both are equally long, then both in turn: Hugging Face's
   * {@code longest_first}.
   *
   * @param pairs as long as {@code texts}, or null
   * @throws LoraGraphException if the tokenizer has no token for a part of a text, or the maximum
   *     length leaves no room beside the special tokens
   */
  public List<Tokens> encode(List<String> texts, @Nullable List<String> pairs) {
    return encode(texts, pairs, false);
  }

  /**
   * The same; a pair may lose tokens of the second text alone, as long as there are any: {@code
   * only_second}.
   *
   * @param keepFirst whether it does
   * @throws LoraGraphException as {@link #encode(List, List)}
   */
  public List<Tokens> encode(List<String> texts, @Nullable List<String> pairs, boolean keepFirst) {
    // One text a call: of a failure in a batch the library does not come back.
    return IntStream.range(0, texts.size())
        .parallel()
        .mapToObj(i -> encode(texts.get(i), pairs == null ? null : pairs.get(i), keepFirst))
        .toList();
  }

  private Tokens encode(String text, @Nullable String pair, boolean keepFirst) {
    Encoding encoding =
        encoding(
            text,
            () -> {
              if (pair == null) {
                return tokenizer.encode(text);
              }
              Encoding both = tokenizer.encode(text, pair);
              return keepFirst && both.exceedMaxLength() ? keepingFirst(text, pair, both) : both;
            });
    return new Tokens(fitting(encoding), ints(encoding.getTypeIds()), encoding.exceedMaxLength());
  }

  private Encoding encoding(String text, Supplier<Encoding> work) {
    try {
      return work.get();
    } catch (RuntimeException e) {
      throw new LoraGraphException(
          "%s cannot encode '%s': %s"
              .formatted(file, PlainText.shortened(text, LONGEST_SHOWN), firstLine(e)),
          e);
    }
  }

  private int[] fitting(Encoding encoding) {
    int[] ids = ints(encoding.getIds());
    if (ids.length > maxLength) {
      throw new LoraGraphException(
          "a maximum length of %d tokens leaves no room for a text beside the special tokens"
              .formatted(maxLength),
          Remedy.ALLOW_MORE_TOKENS);
    }
    return ids;
  }

  /**
   * A part of a text that the model can take at once, special tokens included.
   *
   * @param words for each token the number of its word in the text, {@value
   *     CrossEntropyLoss#IGNORE_INDEX} for special ones
   */
  record Part(int[] ids, int[] types, int[] words) {}

  /**
   * All of some texts: one that is too long for the model is cut into parts, of which each but the
   * last has as many tokens as the model takes.
   *
   * @throws LoraGraphException as {@link #encode} does, or if the tokenizer does not say of which
   *     word a token is
   */
  List<List<Part>> parts(List<String> texts) {
    return IntStream.range(0, texts.size()).parallel().mapToObj(i -> parts(texts.get(i))).toList();
  }

  private List<Part> parts(String text) {
    Encoding encoding = encoding(text, () -> tokenizer.encode(text, true, true));
    List<Part> parts = new ArrayList<>();
    parts.add(part(text, encoding));
    for (Encoding further : encoding.getOverflowing()) {
      parts.add(part(text, further));
    }
    return parts;
  }

  private Part part(String text, Encoding encoding) {
    int[] ids = fitting(encoding);
    long[] marks = encoding.getSpecialTokenMask();
    long[] numbers = encoding.getWordIds();
    int[] words = new int[ids.length];
    for (int i = 0; i < words.length; i++) {
      boolean never = marks[i] != 0 || special.contains(ids[i]);
      if (!never && numbers[i] < 0) {
        throw new LoraGraphException(
            "%s does not say of which word a token of '%s' is"
                .formatted(file, PlainText.shortened(text, LONGEST_SHOWN)));
      }
      words[i] = never ? (int) CrossEntropyLoss.IGNORE_INDEX : (int) numbers[i];
    }
    return new Part(ids, ints(encoding.getTypeIds()), words);
  }

  /** The ids of tokens that are no text, as far as the file names them. */
  Set<Integer> special() {
    return special;
  }

  /**
   * What masking has to know.
   *
   * @throws LoraGraphException if the tokenizer has no token that stands for one that is to be
   *     found
   */
  public MaskVocabulary maskVocabulary() {
    MaskVocabulary known = masks;
    if (known == null) {
      known =
          TokenizerFile.read(file)
              .masks()
              .orElseThrow(
                  () ->
                      new LoraGraphException(
                          "%s has no mask token, such as <mask> or [MASK]: the model was not trained to find tokens"
                              .formatted(file)));
      masks = known;
    }
    return known;
  }

  /**
   * The pair with its first text whole, where that leaves room for a token of the second.
   *
   * @param cut the pair as it is where both may lose tokens: the longer one first, so that the
   *     first is whole where it has at most half of the tokens
   */
  private Encoding keepingFirst(String text, String pair, Encoding cut) {
    int special = tokenizer.encode("", "").getIds().length;
    int first = tokenizer.encode(text, false, false).getIds().length;
    int room = maxLength - special;
    return first <= room / 2 || first >= room ? cut : cuttingSecond().encode(text, pair);
  }

  private synchronized HuggingFaceTokenizer cuttingSecond() {
    if (cuttingSecond == null) {
      cuttingSecond = open(file, TokenizerFile.read(file), options(maxLength, "only_second"));
    }
    return cuttingSecond;
  }

  /** A token as text, special ones by their names. */
  public String text(long id) {
    return tokenizer.decode(new long[] {id}, false).strip();
  }

  private int[] ints(long[] values) {
    return ints(file, values);
  }

  static int[] ints(Path file, long[] values) {
    int[] ints = new int[values.length];
    for (int i = 0; i < ints.length; i++) {
      ints[i] = (int) values[i];
      if (ints[i] != values[i] || ints[i] < 0) {
        throw TokenizerFile.refusal(file, "it has a token of the number " + values[i], null);
      }
    }
    return ints;
  }

  @Override
  public void close() {
    tokenizer.close();
    synchronized (this) {
      if (cuttingSecond != null) {
        cuttingSecond.close();
        cuttingSecond = null;
      }
    }
  }
}
