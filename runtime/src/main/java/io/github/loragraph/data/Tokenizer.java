package io.github.loragraph.data;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.util.PairList;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Turns text into token ids by a {@code tokenizer.json} of Hugging Face's tokenizers library. The
 * file alone decides how, but for truncation and padding, which are overridden: rows are cut at the
 * given length, and padded later, batch by batch.
 */
public final class Tokenizer implements AutoCloseable {
  /** The inputs that a tokenizer can make. */
  public static final Set<String> INPUTS = Set.of("input_ids", "attention_mask", "token_type_ids");

  /** So many texts are handed over at once: the library works on them in parallel. */
  private static final int CHUNK = 1024;

  private static final Set<String> PADDING_TOKENS = Set.of("<pad>", "[PAD]", "<|pad|>");

  private final HuggingFaceTokenizer tokenizer;
  private final long padId;

  private Tokenizer(HuggingFaceTokenizer tokenizer, long padId) {
    this.tokenizer = tokenizer;
    this.padId = padId;
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
    byte[] content;
    JsonNode root;
    try {
      content = Files.readAllBytes(file);
      root = new ObjectMapper().readTree(content);
    } catch (JsonProcessingException e) {
      throw notATokenizer(file, e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
    if (!root.path("model").isObject()) {
      throw notATokenizer(file, "it has no \"model\"", null);
    }
    TokenizerLibrary.prepare();
    Map<String, String> options =
        Map.of(
            "addSpecialTokens", "true",
            "padding", "false",
            "truncation", "true",
            "stride", "0",
            "maxLength", Integer.toString(maxLength),
            "modelMaxLength", Integer.toString(maxLength));
    try {
      HuggingFaceTokenizer tokenizer =
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(content), options);
      return new Tokenizer(tokenizer, padId(root));
    } catch (EngineException | LinkageError e) {
      throw new LoraGraphException(
          "cannot load the native library of the tokenizers: " + firstLine(e), e);
    } catch (IOException | RuntimeException e) {
      throw notATokenizer(file, firstLine(e), e);
    }
  }

  private static LoraGraphException notATokenizer(Path file, String reason, Throwable cause) {
    return new LoraGraphException(
        "%s is no tokenizer.json of Hugging Face's tokenizers: %s"
            .formatted(file, String.valueOf(reason).lines().findFirst().orElse("")),
        cause);
  }

  private static String firstLine(Throwable e) {
    return e.getMessage() == null ? e.toString() : e.getMessage().lines().findFirst().orElse("");
  }

  private static long padId(JsonNode root) {
    if (root.path("padding").path("pad_id").isIntegralNumber()) {
      return root.path("padding").path("pad_id").asLong();
    }
    for (JsonNode token : root.path("added_tokens")) {
      if (PADDING_TOKENS.contains(token.path("content").asText())) {
        return token.path("id").asLong();
      }
    }
    return 0;
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
   * Encodes texts, or pairs of texts.
   *
   * @param pairs as long as {@code texts}, or null
   */
  public List<Tokens> encode(List<String> texts, List<String> pairs) {
    List<Tokens> rows = new ArrayList<>(texts.size());
    for (int start = 0; start < texts.size(); start += CHUNK) {
      int end = Math.min(texts.size(), start + CHUNK);
      Encoding[] encodings =
          pairs == null
              ? tokenizer.batchEncode(texts.subList(start, end))
              : tokenizer.batchEncode(
                  new PairList<>(texts.subList(start, end), pairs.subList(start, end)));
      for (Encoding encoding : encodings) {
        rows.add(
            new Tokens(
                ints(encoding.getIds()), ints(encoding.getTypeIds()), encoding.exceedMaxLength()));
      }
    }
    return rows;
  }

  /** A token as text, special ones by their names. */
  public String text(long id) {
    return tokenizer.decode(new long[] {id}, false).strip();
  }

  private static int[] ints(long[] values) {
    return Arrays.stream(values).mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
