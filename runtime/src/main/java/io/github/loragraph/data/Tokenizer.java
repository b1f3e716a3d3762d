package io.github.loragraph.data;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.util.PairList;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.ort.ToolCache;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Turns text into token ids by a {@code tokenizer.json} of Hugging Face's tokenizers library.
 * Truncation and padding that the file asks for are overridden: rows are cut at the given length,
 * and padded later, batch by batch.
 */
public final class Tokenizer implements AutoCloseable {
  /** The inputs that a tokenizer can make. */
  public static final Set<String> INPUTS = Set.of("input_ids", "attention_mask", "token_type_ids");

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
   * @param maxLength tokens of a row, special ones included
   * @throws LoraGraphException if the file cannot be read
   */
  public static Tokenizer read(Path file, int maxLength) {
    if (maxLength < 3) {
      throw new LoraGraphException(
          "a maximum length of " + maxLength + " tokens leaves no room for text: give 3 or more");
    }
    // The library's own files go to the tool's cache, and it is told to download nothing.
    System.setProperty("ai.djl.offline", "true");
    setIfAbsent("DJL_CACHE_DIR", ToolCache.folder().resolve("djl").toString());
    setIfAbsent("ENGINE_CACHE_DIR", ToolCache.folder().resolve("djl").toString());
    try {
      HuggingFaceTokenizer tokenizer =
          HuggingFaceTokenizer.builder()
              .optTokenizerPath(file)
              .optAddSpecialTokens(true)
              .optPadding(false)
              .optTruncation(true)
              .optMaxLength(maxLength)
              .build();
      return new Tokenizer(tokenizer, padId(file));
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    } catch (RuntimeException e) {
      throw new LoraGraphException(
          file + " is no tokenizer.json of Hugging Face's tokenizers: " + firstLine(e), e);
    }
  }

  private static void setIfAbsent(String property, String value) {
    if (System.getProperty(property) == null && System.getenv(property) == null) {
      System.setProperty(property, value);
    }
  }

  private static String firstLine(RuntimeException e) {
    return e.getMessage() == null ? e.toString() : e.getMessage().lines().findFirst().orElse("");
  }

  private static long padId(Path file) throws IOException {
    JsonNode root = new ObjectMapper().readTree(file.toFile());
    for (JsonNode token : root.path("added_tokens")) {
      if (PADDING_TOKENS.contains(token.path("content").asText())) {
        return token.path("id").asLong();
      }
    }
    return root.path("padding").path("pad_id").asLong(0);
  }

  /** The id that fills up short rows of {@code input_ids}. */
  public long padId() {
    return padId;
  }

  /**
   * Encodes texts, or pairs of texts.
   *
   * @param pairs as long as {@code texts}, or null
   * @return for each text a row for each of {@link #INPUTS}
   */
  public List<Map<String, double[]>> encode(List<String> texts, List<String> pairs) {
    List<Map<String, double[]>> rows = new ArrayList<>(texts.size());
    for (int start = 0; start < texts.size(); start += CHUNK) {
      int end = Math.min(texts.size(), start + CHUNK);
      Encoding[] encodings =
          pairs == null
              ? tokenizer.batchEncode(texts.subList(start, end))
              : tokenizer.batchEncode(
                  new PairList<>(texts.subList(start, end), pairs.subList(start, end)));
      for (Encoding encoding : encodings) {
        Map<String, double[]> row = new LinkedHashMap<>();
        row.put("input_ids", doubles(encoding.getIds()));
        row.put("attention_mask", doubles(encoding.getAttentionMask()));
        row.put("token_type_ids", doubles(encoding.getTypeIds()));
        rows.add(row);
      }
    }
    return rows;
  }

  private static double[] doubles(long[] values) {
    return Arrays.stream(values).asDoubleStream().toArray();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
