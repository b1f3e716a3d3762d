package io.github.loragraph.adapter;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The header of a safetensors file, once it keeps the rules of the format.
 *
 * @param entries the tensors in the order in which they lie in the file
 * @param metadata the texts of {@code __metadata__}
 * @param data where in the file the first tensor begins
 */
record SafetensorsHeader(
    Map<String, SafetensorsFile.Entry> entries, Map<String, String> metadata, long data) {
  static final String METADATA = "__metadata__";

  /** No tensor has more axes. */
  private static final int MOST_AXES = 64;

  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /** What a rule of the format forbids. */
  static final class Damage extends Exception {
    private static final long serialVersionUID = 1L;

    Damage(String what) {
      super(what);
    }

    Damage(String what, Throwable cause) {
      super(what, cause);
    }
  }

  /**
   * Reads a header from the beginning of a file.
   *
   * @throws Damage if it breaks a rule of the format
   * @throws IOException if the file cannot be read
   */
  static SafetensorsHeader read(FileChannel file) throws Damage, IOException {
    long size = file.size();
    if (size < SafetensorsFile.LENGTH_BYTES) {
      throw new Damage(
          "it has %d bytes, and the length of its header alone takes 8".formatted(size));
    }
    long length =
        bytes(file, 0, SafetensorsFile.LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (length < 0 || length > SafetensorsFile.LONGEST_HEADER) {
      throw new Damage(
          "its header is said to have %s bytes, and at most %,d are allowed"
              .formatted(Long.toUnsignedString(length), SafetensorsFile.LONGEST_HEADER));
    }
    long data = SafetensorsFile.LENGTH_BYTES + length;
    if (data > size) {
      throw new Damage(
          "its header is said to have %,d bytes, and the file has only %,d"
              .formatted(length, size));
    }
    String text = text(bytes(file, SafetensorsFile.LENGTH_BYTES, (int) length));
    if (!text.startsWith("{")) {
      throw new Damage("its header does not begin with '{'");
    }
    SafetensorsHeader header = parse(text, data);
    header.requireContiguous(size - data);
    return header;
  }

  private static ByteBuffer bytes(FileChannel file, long from, int count)
      throws Damage, IOException {
    ByteBuffer bytes = ByteBuffer.allocate(count);
    while (bytes.hasRemaining()) {
      if (file.read(bytes, from + bytes.position()) < 0) {
        throw new Damage("it ended while it was read");
      }
    }
    return bytes.flip();
  }

  private static String text(ByteBuffer bytes) throws Damage {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(bytes)
          .toString();
    } catch (CharacterCodingException e) {
      throw new Damage("its header is not in UTF-8", e);
    }
  }

  private static SafetensorsHeader parse(String text, long data) throws Damage, IOException {
    try (JsonParser json = JSON.createParser(text)) {
      Map<String, SafetensorsFile.Entry> entries = new LinkedHashMap<>();
      Map<String, String> metadata = new LinkedHashMap<>();
      json.nextToken();
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String name = name(json);
        if (name.equals(METADATA)) {
          metadata.putAll(texts(json));
        } else {
          entries.put(name, entry(json, name));
        }
      }
      if (json.nextToken() != null) {
        throw new Damage("something follows the JSON object in its header");
      }
      return new SafetensorsHeader(entries, metadata, data);
    } catch (JsonParseException e) {
      throw new Damage(reason(e), e);
    } catch (JsonProcessingException e) {
      throw new Damage("its header is JSON with a name or number that is too long", e);
    }
  }

  private static String reason(JsonParseException e) {
    String message = e.getOriginalMessage();
    // Jackson has no exception of its own for it.
    return message.startsWith("Duplicate field")
        ? "its header has a key twice (%s)"
            .formatted(message.substring("Duplicate field".length()).strip())
        : "its header is no JSON";
  }

  private static String name(JsonParser json) throws Damage, IOException {
    String name = json.currentName();
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
      throw new Damage("a name in its header is half a character");
    }
    return name;
  }

  private static Map<String, String> texts(JsonParser json) throws Damage, IOException {
    if (json.nextToken() != JsonToken.START_OBJECT) {
      throw new Damage("its __metadata__ is no object");
    }
    Map<String, String> texts = new LinkedHashMap<>();
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String key = name(json);
      if (json.nextToken() != JsonToken.VALUE_STRING) {
        throw new Damage("its __metadata__ has '%s', which is no text".formatted(key));
      }
      texts.put(key, json.getText());
    }
    return texts;
  }

  private static SafetensorsFile.Entry entry(JsonParser json, String name)
      throws Damage, IOException {
    if (json.nextToken() != JsonToken.START_OBJECT) {
      throw new Damage("tensor '%s' is not described by an object".formatted(name));
    }
    @Nullable Dtype dtype = null;
    long @Nullable [] shape = null;
    long @Nullable [] offsets = null;
    while (json.nextToken() != JsonToken.END_OBJECT) {
      String field = json.currentName();
      json.nextToken();
      switch (field) {
        case "dtype" -> dtype = dtype(json, name);
        case "shape" -> shape = numbers(json, name, field);
        case "data_offsets" -> offsets = numbers(json, name, field);
        default ->
            throw new Damage(
                "tensor '%s' has '%s', which the format does not have".formatted(name, field));
      }
    }
    if (dtype == null || shape == null || offsets == null) {
      throw new Damage(
          "tensor '%s' has no %s"
              .formatted(name, dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets"));
    }
    if (offsets.length != 2 || offsets[1] < offsets[0]) {
      throw new Damage(
          "tensor '%s' has data_offsets %s, which are no beginning and end"
              .formatted(name, Arrays.toString(offsets)));
    }
    SafetensorsFile.Entry entry = new SafetensorsFile.Entry(dtype, shape, offsets[0], offsets[1]);
    requireLength(name, entry);
    return entry;
  }

  private static Dtype dtype(JsonParser json, String name) throws Damage, IOException {
    Dtype dtype =
        json.currentToken() == JsonToken.VALUE_STRING ? Dtype.named(json.getText()) : null;
    if (dtype == null) {
      throw new Damage(
          "tensor '%s' has dtype '%s', which the format does not have"
              .formatted(name, json.getValueAsString()));
    }
    return dtype;
  }

  private static long[] numbers(JsonParser json, String name, String field)
      throws Damage, IOException {
    List<Long> numbers = new ArrayList<>();
    boolean whole = json.currentToken() == JsonToken.START_ARRAY;
    while (whole && json.nextToken() != JsonToken.END_ARRAY) {
      whole =
          json.currentToken() == JsonToken.VALUE_NUMBER_INT
              && json.getNumberType() != JsonParser.NumberType.BIG_INTEGER
              && json.getLongValue() >= 0
              && numbers.size() < MOST_AXES;
      if (whole) {
        numbers.add(json.getLongValue());
      }
    }
    if (!whole) {
      throw new Damage(
          "the %s of tensor '%s' are no list of sizes: numbers from 0 to 2^63 - 1"
              .formatted(field, name));
    }
    return numbers.stream().mapToLong(Long::longValue).toArray();
  }

  private static void requireLength(String name, SafetensorsFile.Entry entry) throws Damage {
    long needed;
    try {
      needed = entry.bytes();
    } catch (ArithmeticException e) {
      throw new Damage(
          "tensor '%s' of shape %s has more elements than can be counted"
              .formatted(name, Arrays.toString(entry.shape())),
          e);
    }
    if (needed != entry.end() - entry.start()) {
      throw new Damage(
          "tensor '%s' of type %s and shape %s needs %s bytes, and its offsets give it %,d"
              .formatted(
                  name,
                  entry.dtype(),
                  Arrays.toString(entry.shape()),
                  needed < 0 ? "no whole number of" : "%,d".formatted(needed),
                  entry.end() - entry.start()));
    }
  }

  /** Sorts the tensors by place; they must follow one another from the first byte to the last. */
  private void requireContiguous(long size) throws Damage {
    List<Map.Entry<String, SafetensorsFile.Entry>> sorted = new ArrayList<>(entries.entrySet());
    sorted.sort(
        Comparator.comparingLong(
                (Map.Entry<String, SafetensorsFile.Entry> e) -> e.getValue().start())
            .thenComparingLong(e -> e.getValue().end()));
    entries.clear();
    long next = 0;
    for (Map.Entry<String, SafetensorsFile.Entry> named : sorted) {
      long start = named.getValue().start();
      if (start != next) {
        throw new Damage(
            "tensor '%s' begins at byte %,d, and %s"
                .formatted(
                    named.getKey(),
                    start,
                    start < next
                        ? "the one before ends at %,d: they overlap".formatted(next)
                        : "there is a hole from %,d on".formatted(next)));
      }
      next = named.getValue().end();
      entries.put(named.getKey(), named.getValue());
    }
    if (next != size) {
      throw new Damage(
          "its tensors have %,d bytes, and %,d follow the header".formatted(next, size));
    }
  }
}
