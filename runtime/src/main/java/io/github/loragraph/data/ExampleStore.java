package io.github.loragraph.data;

import java.nio.ByteBuffer;
import java.nio.ShortBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Rows of text with their targets, and what they become as tokens, in two mapped files: a record of
 * one size for each row, and the tokens of all, as shorts where the vocabulary allows it. Until a
 * row is encoded its text lies in a third file.
 *
 * <p>One thread adds rows, and then one encodes them; who reads a row's tokens has been told by
 * that thread that they are there.
 */
final class ExampleStore {
  /** Of a record, in integers: place, flags, tokens, where they (or the text) begin, target. */
  private static final int FLAGS = 4;

  private static final int LENGTH = 8;
  private static final int BEGIN = 12;
  private static final int TARGET = 20;

  private static final int ENCODED = 1;
  private static final int TYPED = 2;

  private static final String IDS = "input_ids";
  private static final String MASK = "attention_mask";
  private static final String TYPES = "token_type_ids";

  private final Form form;
  private final MappedFile records;
  private final MappedFile tokens;
  private final int recordBytes;
  private int rows;

  /**
   * What is the same for all rows.
   *
   * @param inputs of the model, all of which a tokenizer gives
   * @param wide whether ids need more than 16 bits
   * @param integers whether the numbers of targets are integers
   * @param numbers of a target; -1 for one without an axis
   */
  record Form(List<String> inputs, boolean wide, boolean integers, int numbers) {
    int count() {
      return Math.max(1, numbers);
    }
  }

  private ExampleStore(Form form, MappedFile records, MappedFile tokens, int rows) {
    this.form = form;
    this.records = records;
    this.tokens = tokens;
    this.recordBytes = TARGET + 4 * form.count();
    this.rows = rows;
  }

  /** A store without rows over files without content. */
  static ExampleStore create(Form form, MappedFile records, MappedFile tokens) {
    return new ExampleStore(form, records, tokens, 0);
  }

  /** A store that was written before. */
  static ExampleStore of(Form form, MappedFile records, MappedFile tokens, int rows) {
    return new ExampleStore(form, records, tokens, rows);
  }

  Form form() {
    return form;
  }

  int rows() {
    return rows;
  }

  private long record(int row) {
    return (long) row * recordBytes;
  }

  /**
   * Adds a row.
   *
   * @param line of its file
   * @param texts takes its texts
   */
  void add(Row row, int line, Values target, MappedFile texts) {
    byte[] text = Objects.requireNonNull(row.text()).getBytes(StandardCharsets.UTF_8);
    byte @Nullable [] pair =
        row.textPair() == null ? null : row.textPair().getBytes(StandardCharsets.UTF_8);
    int bytes = 8 + text.length + (pair == null ? 0 : pair.length);
    long place = texts.room(bytes, 4);
    ByteBuffer out = texts.bytes(place, bytes);
    out.putInt(text.length).putInt(pair == null ? -1 : pair.length).put(text);
    if (pair != null) {
      out.put(pair);
    }
    long record = record(rows);
    // A record may lie in two parts; a number of it does not.
    records.reach(record + recordBytes);
    records.putInt(record, line);
    records.putInt(record + FLAGS, 0);
    records.putInt(record + LENGTH, 0);
    records.putLong(record + BEGIN, place);
    for (int i = 0; i < form.count(); i++) {
      double number = target.get(i);
      records.putInt(
          record + TARGET + 4L * i,
          form.integers() ? (int) number : Float.floatToRawIntBits((float) number));
    }
    rows++;
  }

  int line(int row) {
    return records.getInt(record(row));
  }

  /** The row's texts, while it is not encoded. */
  Row row(int row, MappedFile texts, String place) {
    long begin = records.getLong(record(row) + BEGIN);
    int text = texts.getInt(begin);
    int pair = texts.getInt(begin + 4);
    ByteBuffer bytes = texts.bytes(begin, 8 + text + Math.max(0, pair));
    byte[] content = new byte[bytes.remaining() - 8];
    bytes.position(8).get(content);
    return new Row(
        new String(content, 0, text, StandardCharsets.UTF_8),
        pair < 0 ? null : new String(content, text, pair, StandardCharsets.UTF_8),
        null,
        Map.of(),
        place);
  }

  /** Writes the tokens of a row in the place of its text. */
  void encode(int row, Example example) {
    Values ids = Objects.requireNonNull(example.inputs().get(IDS));
    Values types = example.inputs().get(TYPES);
    int length = ids.count();
    boolean typed = types != null && hasOthersThanZero(types);
    int bytes = length * (form.wide() ? 4 : 2) + (typed ? length : 0);
    long begin = tokens.room(bytes, 4);
    ByteBuffer out = tokens.bytes(begin, bytes);
    for (int i = 0; i < length; i++) {
      if (form.wide()) {
        out.putInt((int) ids.get(i));
      } else {
        out.putShort((short) ids.get(i));
      }
    }
    for (int i = 0; types != null && typed && i < length; i++) {
      out.put((byte) types.get(i));
    }
    long record = record(row);
    records.putInt(record + LENGTH, length);
    records.putLong(record + BEGIN, begin);
    records.putInt(record + FLAGS, ENCODED | (typed ? TYPED : 0));
  }

  private static boolean hasOthersThanZero(Values values) {
    for (int i = 0; i < values.count(); i++) {
      if (values.get(i) != 0) {
        return true;
      }
    }
    return false;
  }

  boolean isEncoded(int row) {
    return (records.getInt(record(row) + FLAGS) & ENCODED) != 0;
  }

  int length(int row) {
    return records.getInt(record(row) + LENGTH);
  }

  /** What the model is to answer to a row, be it encoded or not. */
  Values target(int row) {
    long at = record(row) + TARGET;
    if (form.integers()) {
      int[] numbers = new int[form.count()];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = records.getInt(at + 4L * i);
      }
      return form.numbers() < 0 ? Values.scalar(numbers[0]) : Values.of(numbers);
    }
    float[] numbers = new float[form.count()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = Float.intBitsToFloat(records.getInt(at + 4L * i));
    }
    return form.numbers() < 0 ? Values.scalar(numbers[0]) : Values.of(numbers);
  }

  /** A row that is encoded, as a model takes it. */
  Example example(int row) {
    long record = record(row);
    int flags = records.getInt(record + FLAGS);
    int length = records.getInt(record + LENGTH);
    int width = form.wide() ? 4 : 2;
    boolean typed = (flags & TYPED) != 0;
    ByteBuffer in =
        tokens.bytes(records.getLong(record + BEGIN), length * (width + (typed ? 1 : 0)));
    int[] ids = new int[length];
    if (form.wide()) {
      in.asIntBuffer().get(ids);
    } else {
      ShortBuffer shorts = in.asShortBuffer();
      for (int i = 0; i < length; i++) {
        ids[i] = shorts.get(i) & 0xffff;
      }
    }
    Values types = Values.zeros(length);
    if (typed) {
      int[] numbers = new int[length];
      for (int i = 0; i < length; i++) {
        numbers[i] = in.get(length * width + i) & 0xff;
      }
      types = Values.of(numbers);
    }
    Map<String, Values> inputs = new HashMap<>(4);
    for (String input : form.inputs()) {
      inputs.put(
          input,
          switch (input) {
            case IDS -> Values.of(ids);
            case MASK -> Values.ones(length);
            default -> types;
          });
    }
    return new Example(inputs, target(row));
  }
}
