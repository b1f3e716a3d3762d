package io.github.loragraph.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ValueInfo;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The examples of a data file that is not held in memory. All rows are read once, and their labels
 * checked; their texts become tokens while they are trained on already. What came of it stays in
 * the cache, for the next time that the same data is asked for. Its maker closes it, before what it
 * encodes with is closed.
 *
 * <p>An order of examples, a batch and all that follows is the same as in memory.
 *
 * <p>Long because the first pass, the tokens made ahead and what is kept share one file's life.
 */
public final class StreamedData implements AutoCloseable {
  /** Of what is kept, and of how rows are read and become it: another one is another key. */
  public static final int VERSION = 2;

  private static final String RECORDS = "records.bin";
  private static final String TOKENS = "tokens.bin";
  private static final String TEXTS = "texts.bin";
  private static final int MOST_SHORT = 1 << 16;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The rows are tokens already. */
  public static final class NoTexts extends RuntimeException {
    private static final long serialVersionUID = 1;

    NoTexts() {
      super("no texts", null, false, false);
    }
  }

  /** Takes rows one by one. */
  @FunctionalInterface
  public interface RowTaker {
    /**
     * Takes a row.
     *
     * @param row of text
     * @param file the number of the file that it is of, from 0
     * @param target what the model is to answer to it
     * @throws LoraGraphException if it is of another kind than those before
     */
    void take(Row row, int file, Values target);
  }

  /** Reads all rows. */
  @FunctionalInterface
  public interface Reading {
    /**
     * Reads.
     *
     * @param taker gets each row
     * @param notices gets a line for whatever is guessed
     * @throws LoraGraphException if a row cannot be read, or its label is none; it names the line
     */
    void read(RowTaker taker, Consumer<String> notices);
  }

  /**
   * What the description of complete files says; a value for JSON.
   *
   * @param firstRows for each file the number of its first row
   */
  record Description(
      int version,
      int rows,
      List<String> inputs,
      boolean wide,
      boolean integers,
      int numbers,
      boolean pairs,
      int cut,
      List<Integer> firstRows,
      List<Notice> notices,
      long recordBytes,
      long tokenBytes,
      long recordChecksum,
      long tokenChecksum) {}

  /**
   * A line that was said while the rows were read: another run may call the same files otherwise.
   *
   * @param file the number of the file whose name it begins with; -1 for none
   * @param line without that name
   */
  record Notice(int file, String line) {
    static Notice of(String line, List<String> files) {
      int file = -1;
      for (int i = 0; i < files.size(); i++) {
        String name = files.get(i);
        if ((line.startsWith(name + ":") || line.startsWith(name + " "))
            && (file < 0 || name.length() > files.get(file).length())) {
          file = i;
        }
      }
      return file < 0
          ? new Notice(-1, line)
          : new Notice(file, line.substring(files.get(file).length()));
    }

    String of(List<String> files) {
      return file < 0 ? line : files.get(file) + line;
    }
  }

  private final StoredExamples examples;
  private final List<String> files;
  private final Description description;
  private final TokenCache.@Nullable Place place;
  private final @Nullable AheadEncoder encoder;

  private StreamedData(
      StoredExamples examples,
      List<String> files,
      Description description,
      TokenCache.@Nullable Place place,
      @Nullable AheadEncoder encoder) {
    this.examples = examples;
    this.files = files;
    this.description = description;
    this.place = place;
    this.encoder = encoder;
  }

  /**
   * What data is asked for.
   *
   * @param folder of the cache
   * @param key tells all that decides what the examples are
   * @param files what messages call them
   */
  public record Source(Path folder, String key, List<String> files) {}

  /**
   * The examples of a source: those of the cache, or new ones.
   *
   * @param inputs of the model
   * @param tables no token may be outside of them
   * @param reading asked only where the cache has nothing
   * @param encoder nobody else's
   * @param notices gets a line for whatever was guessed
   * @throws LoraGraphException if a row cannot be read, or there is no room for what is made of it
   */
  public static StreamedData open(
      Source source,
      List<ValueInfo> inputs,
      EmbeddingTables tables,
      Reading reading,
      ExampleEncoder encoder,
      Consumer<String> notices) {
    TokenCache cache = new TokenCache(source.folder());
    Optional<StreamedData> known = known(cache, source, notices, damage -> {});
    if (known.isPresent()) {
      return known.get();
    }
    TokenCache.Place place = cache.begin(source.key());
    try {
      if (place.isKept()) {
        // Another process may have made it since it was looked for; nobody else can now.
        known = known(cache, source, notices, notices);
        if (known.isPresent()) {
          place.leave();
          return known.get();
        }
      }
      place.clear();
      return new Maker(source, place, inputs, tables, notices).make(reading, encoder);
    } catch (RuntimeException | Error e) {
      place.close();
      throw e;
    }
  }

  private static Optional<StreamedData> known(
      TokenCache cache, Source source, Consumer<String> notices, Consumer<String> damage) {
    Optional<Path> entry = cache.find(source.key());
    if (entry.isEmpty()) {
      return Optional.empty();
    }
    StreamedData data;
    try {
      data = reopen(source, entry.get());
    } catch (IOException e) {
      damage.accept(entry.get() + " was damaged, and is made anew");
      return Optional.empty();
    }
    data.description.notices().forEach(notice -> notices.accept(notice.of(source.files())));
    notices.accept(
        "%s: the tokens of %,d rows are those of %s"
            .formatted(source.files().get(0), data.description.rows(), entry.get()));
    return Optional.of(data);
  }

  private static StreamedData reopen(Source source, Path entry) throws IOException {
    Description is = description(Files.readAllBytes(entry.resolve(TokenCache.DESCRIPTION)));
    if (is.version() != VERSION) {
      throw new IOException("of another version");
    }
    MappedFile records = MappedFile.open(entry.resolve(RECORDS), is.recordBytes());
    MappedFile tokens = MappedFile.open(entry.resolve(TOKENS), is.tokenBytes());
    if (records.checksum() != is.recordChecksum() || tokens.checksum() != is.tokenChecksum()) {
      throw new IOException("other content than it was");
    }
    ExampleStore store =
        ExampleStore.of(
            new ExampleStore.Form(is.inputs(), is.wide(), is.integers(), is.numbers()),
            records,
            tokens,
            is.rows());
    return new StreamedData(
        new StoredExamples(store, null, null, List.of()), source.files(), is, null, null);
  }

  /** JSON in a line, and in the next one its checksum. */
  private static Description description(byte[] bytes) throws IOException {
    String text = new String(bytes, StandardCharsets.UTF_8);
    int end = Math.max(0, text.indexOf('\n'));
    String line = text.substring(0, end);
    if (!text.equals(line + "\n" + checksum(line) + "\n")) {
      throw new IOException("other content than it was");
    }
    return JSON.readValue(line, Description.class);
  }

  private static long checksum(String line) {
    CRC32C checksum = new CRC32C();
    checksum.update(line.getBytes(StandardCharsets.UTF_8));
    return checksum.getValue();
  }

  /** Makes new ones. */
  private static final class Maker {
    private final Source source;
    private final TokenCache.Place place;
    private final List<String> inputs;
    private final boolean wide;
    private final Consumer<String> notices;
    private final List<Notice> said = new ArrayList<>();
    private final List<Integer> firstRows = new ArrayList<>();
    private final MappedFile records;
    private final MappedFile tokens;
    private final MappedFile texts;
    private @Nullable ExampleStore store;
    private boolean pairs;

    Maker(
        Source source,
        TokenCache.Place place,
        List<ValueInfo> inputs,
        EmbeddingTables tables,
        Consumer<String> notices) {
      this.source = source;
      this.place = place;
      this.inputs = inputs.stream().map(ValueInfo::name).toList();
      this.wide = tables.rows().getOrDefault("input_ids", Integer.MAX_VALUE) > MOST_SHORT;
      this.notices = notices;
      this.records = MappedFile.create(place.path().resolve(RECORDS));
      this.tokens = MappedFile.create(place.path().resolve(TOKENS));
      this.texts = MappedFile.create(place.path().resolve(TEXTS));
    }

    StreamedData make(Reading reading, ExampleEncoder encoder) {
      reading.read(
          (row, file, target) -> {
            if (store == null && row.isText()) {
              encoder.requireTexts();
            }
            take(row, file, target);
          },
          line -> {
            said.add(Notice.of(line, source.files()));
            notices.accept(line);
          });
      ExampleStore made = Objects.requireNonNull(store);
      List<Integer> begins = List.copyOf(firstRows);
      AheadEncoder ahead =
          new AheadEncoder(
              made,
              texts,
              encoder,
              row -> source.files().get(fileOf(begins, row)) + ":" + made.line(row),
              () -> complete(made, encoder.cut()));
      return new StreamedData(
          new StoredExamples(made, ahead, null, List.of()),
          source.files(),
          description(made, 0, 0, 0),
          place,
          ahead);
    }

    private void take(Row row, int file, Values target) {
      ExampleStore rows = store;
      if (rows == null) {
        if (!row.isText()) {
          throw new NoTexts();
        }
        pairs = row.textPair() != null;
        rows =
            ExampleStore.create(
                new ExampleStore.Form(
                    inputs, wide, target.areIntegers(), target.rank() == 0 ? -1 : target.count()),
                records,
                tokens);
        store = rows;
      }
      ExampleEncoder.requireAlike(row, true, pairs);
      while (firstRows.size() <= file) {
        firstRows.add(rows.rows());
      }
      String line = row.place().substring(row.place().lastIndexOf(':') + 1);
      rows.add(row, Integer.parseInt(line), target, texts);
    }

    private Description description(
        ExampleStore rows, int cut, long recordChecksum, long tokenChecksum) {
      ExampleStore.Form form = rows.form();
      return new Description(
          VERSION,
          rows.rows(),
          form.inputs(),
          form.wide(),
          form.integers(),
          form.numbers(),
          pairs,
          cut,
          List.copyOf(firstRows),
          List.copyOf(said),
          records.size(),
          tokens.size(),
          recordChecksum,
          tokenChecksum);
    }

    private void complete(ExampleStore rows, int cut) {
      TokenCache.deleteQuietly(place.path().resolve(TEXTS));
      try {
        String line =
            JSON.writeValueAsString(description(rows, cut, records.checksum(), tokens.checksum()));
        place.complete((line + "\n" + checksum(line) + "\n").getBytes(StandardCharsets.UTF_8));
      } catch (JsonProcessingException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private static int fileOf(List<Integer> firstRows, int row) {
    int file = firstRows.size() - 1;
    while (file > 0 && firstRows.get(file) > row) {
      file--;
    }
    return file;
  }

  public StoredExamples examples() {
    return examples;
  }

  /** How many rows the data has. */
  public int rows() {
    return description.rows();
  }

  /** Whether the rows are pairs of texts. */
  public boolean arePairs() {
    return description.pairs();
  }

  /** Whether they came out of the cache, so that nothing is left to be done. */
  public boolean wasKnown() {
    return encoder == null;
  }

  /**
   * How many texts were cut at the maximum length: waits until all are encoded.
   *
   * @throws LoraGraphException if one cannot be; it names the line
   */
  public int cut() {
    if (encoder == null) {
      return description.cut();
    }
    encoder.requireAll();
    return encoder.cut();
  }

  /** How many of the texts that are encoded by now were cut: waits for nothing. */
  public int cutSoFar() {
    return encoder == null ? description.cut() : encoder.cut();
  }

  /**
   * What messages call the row of an example.
   *
   * @param index of a row, in the order of the files
   */
  public String place(int index) {
    return "%s:%d"
        .formatted(files.get(fileOf(description.firstRows(), index)), examples.lineOf(index));
  }

  /** Stops what is at work; what is not whole is no use to anyone and goes. */
  @Override
  public void close() {
    if (encoder != null) {
      encoder.close();
    }
    if (place != null) {
      place.close();
    }
  }
}
