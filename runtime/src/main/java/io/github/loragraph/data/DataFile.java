package io.github.loragraph.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Reads examples, UTF-8: tab-separated ({@code .tsv}) and comma-separated ({@code .csv}: RFC 4180)
 * text with a heading, JSON lines ({@code .jsonl}, {@code .ndjson}, {@code .json}) with text or
 * with numbers for the model's inputs, and text alone ({@code .txt}), one in each line. A byte
 * order mark, any line end and empty lines at the end are taken; texts and labels lose the spaces
 * around them. Quotes in a TSV belong to the text, unless every cell of the column is quoted. Words
 * with tags are read from CoNLL's files ({@code .conll}, {@code .bio}, {@code .iob}, ...: {@link
 * ConllReader}) and from JSON lines.
 *
 * <p>What was guessed in reading goes to the notices, a line each.
 */
public final class DataFile {
  /** Characters of a row; a longer one is a damaged file. */
  public static final int LONGEST_ROW = 10_000_000;

  private static final int LONGEST_LIST = 200;

  private static final String TABS = ".tsv";
  private static final String COMMAS = ".csv";
  private static final String LINES = ".txt";

  private static final Set<String> PACKED = Set.of(".bz2", ".xz", ".zip", ".7z", ".lz4");

  private final Path file;
  private final Columns columns;
  private final Consumer<String> notices;
  private final TableForm form;

  /**
   * @param notices gets a line for whatever was guessed
   */
  public DataFile(Path file, Columns columns, Consumer<String> notices) {
    this(file, columns, notices, TableForm.HEADED);
  }

  private DataFile(Path file, Columns columns, Consumer<String> notices, TableForm form) {
    this.file = file;
    this.columns = columns;
    this.notices = notices;
    this.form = form;
  }

  /**
   * A file that is read by its fields alone.
   *
   * @param notices gets a line for whatever was guessed
   * @param form of tables
   */
  public static DataFile ofFields(Path file, Consumer<String> notices, TableForm form) {
    return new DataFile(file, Columns.NONE, notices, form);
  }

  /**
   * What is asked of a file.
   *
   * @param labelled whether each row must have a label
   * @param texts whether text or inputs are read
   * @param emptyTexts whether a text may be empty
   * @param fields whether the rows' fields are kept as they stand
   */
  record Request(
      Path file,
      Columns columns,
      Consumer<String> notices,
      boolean labelled,
      boolean texts,
      boolean emptyTexts,
      boolean fields) {
    String place(long line) {
      return file + ":" + line;
    }
  }

  /** Takes rows one by one. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * @param fields all fields of the row in their order; in tables each is text
     */
    void row(Row row, Map<String, JsonNode> fields);
  }

  /**
   * Reads all rows, with their labels where there are any; nothing is said of what was guessed.
   *
   * @throws LoraGraphException if the file is missing, of another kind or empty, or a line of it
   *     cannot be read; it names the line
   */
  public static List<Row> read(Path file, Columns columns) {
    DataFile data = new DataFile(file, columns, notice -> {});
    return data.collect(data.request(false, true, false, false));
  }

  /**
   * Reads all rows, each of which must have a label; nothing is said of what was guessed.
   *
   * @throws LoraGraphException as {@link #read} does, or if a row has no label
   */
  public static List<Row> readLabelled(Path file, Columns columns) {
    return new DataFile(file, columns, notice -> {}).labelled();
  }

  /**
   * All rows, each of which must have a label.
   *
   * @throws LoraGraphException as {@link #read} does, or if a row has no label
   */
  public List<Row> labelled() {
    return collect(request(true, true, false, false));
  }

  /**
   * Hands over row by row, each of which must have a label.
   *
   * @throws LoraGraphException as {@link #labelled} does, when it comes to the line
   */
  public void eachLabelled(Consumer<Row> taker) {
    visit(request(true, true, false, false), (row, fields) -> taker.accept(row));
  }

  /** Whether files of a name are read: by its ending, that of a packed one aside. */
  public static boolean isOne(String name) {
    String unpacked = Packing.unpackedName(name);
    return unpacked.lastIndexOf('.') > 0
        && (unpacked.endsWith(TABS)
            || unpacked.endsWith(COMMAS)
            || isJson(unpacked)
            || ConllReader.reads(unpacked)
            || unpacked.endsWith(LINES));
  }

  private static boolean isJson(String name) {
    return name.endsWith(".jsonl") || name.endsWith(".ndjson") || name.endsWith(".json");
  }

  /** Whether a file is packed, so that it holds more than its size says. */
  public static boolean isPacked(Path file) {
    try {
      return Packing.isPacked(file);
    } catch (IOException e) {
      return false;
    }
  }

  /** As what a file is read: the ending that it has unpacked, in lower case. */
  public static String kind(Path file) {
    String name = Packing.unpackedName(file);
    return name.substring(name.lastIndexOf('.') + 1);
  }

  /**
   * The labels alone: rows with nothing else in them. Text is not looked for.
   *
   * @throws LoraGraphException as {@link #labelled} does
   */
  public List<Row> labels() {
    return collect(request(true, false, false, false));
  }

  /**
   * Hands over row by row, so that a file of any size can be read. Labels are read where there are
   * any, and texts may be empty.
   *
   * @throws LoraGraphException as {@link #read} does, when it comes to the line
   */
  public void each(Visitor visitor) {
    visit(request(false, true, true, true), visitor);
  }

  /** Takes the fields of rows one by one. */
  @FunctionalInterface
  public interface FieldVisitor {
    /**
     * @param place {@code file:line}, for messages
     * @param fields in their order; in tables each is text
     */
    void row(String place, Map<String, JsonNode> fields);
  }

  /**
   * Hands over the fields of each row, whatever their names are.
   *
   * @throws LoraGraphException as {@link #read} does, when it comes to the line
   */
  public void fields(FieldVisitor visitor) {
    visit(
        new Request(file, Columns.NONE, notices, false, false, true, true),
        (row, fields) -> visitor.row(row.place(), fields));
  }

  private Request request(boolean labelled, boolean texts, boolean emptyTexts, boolean fields) {
    return new Request(file, columns, notices, labelled, texts, emptyTexts, fields);
  }

  private List<Row> collect(Request request) {
    List<Row> rows = new ArrayList<>();
    visit(request, (row, fields) -> rows.add(row));
    return rows;
  }

  private void visit(Request request, Visitor visitor) {
    String name = Packing.unpackedName(file);
    int ending = name.lastIndexOf('.');
    if (ending >= 0 && PACKED.contains(name.substring(ending))) {
      throw new LoraGraphException(
          file + " is packed in a way that is not read: unpack it, or pack it as .gz or .zst");
    }
    TextLines text = new TextLines(file);
    boolean[] any = new boolean[1];
    Visitor counting =
        (row, fields) -> {
          any[0] = true;
          visitor.row(row, fields);
        };
    if (name.endsWith(TABS)) {
      new TableReader(request, form).tabSeparated(text, counting);
    } else if (name.endsWith(COMMAS)) {
      new TableReader(request, form).commaSeparated(text, counting);
    } else if (isJson(name)) {
      new JsonLinesReader(request).read(text, counting);
    } else if (form.spaces()) {
      new TableReader(request, form).tabSeparated(text, counting);
    } else if (ConllReader.reads(name)) {
      new ConllReader(request).read(text, counting);
    } else if (name.endsWith(LINES)) {
      lines(text, request, counting);
    } else {
      throw new LoraGraphException(
          file + " is no .tsv, .csv, .jsonl or .txt file: convert it, or give it the right ending");
    }
    if (!any[0]) {
      throw new LoraGraphException(file + " holds no examples: give a file with at least one row");
    }
  }

  /** A text in each line; empty lines are passed over. */
  private static void lines(TextLines text, Request request, Visitor visitor) {
    if (request.labelled()) {
      throw new LoraGraphException(
          request.file()
              + " is text alone, and labels are needed: give a .tsv, .csv or .jsonl file");
    }
    text.each(
        reader -> {
          TextLines.Lines lines = text.lines(reader);
          for (String line = lines.next(); line != null; line = lines.next()) {
            if (!line.isBlank()) {
              String place = request.place(lines.number());
              String stripped = checked(line.strip(), "text", place);
              Row row = new Row(stripped, null, null, Map.of(), place);
              visitor.row(row, Map.of("text", TextNode.valueOf(stripped)));
            }
          }
        });
  }

  /**
   * All rows, for who takes no labels.
   *
   * @throws LoraGraphException as {@link #read} does
   */
  public List<Row> unlabelled() {
    return collect(request(false, true, false, false));
  }

  /**
   * Text as a tokenizer can take it.
   *
   * @throws LoraGraphException if there is a NUL in it, or half of a character
   */
  public static String checked(String text, String what, String place) {
    return checked(text, what, place, "mend or delete the line");
  }

  /**
   * The same of a text that need not be of a file.
   *
   * @param advice what to do about it
   */
  static String checked(String text, String what, String place, String advice) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean half =
          Character.isHighSurrogate(c)
              ? i + 1 == text.length() || !Character.isLowSurrogate(text.charAt(i + 1))
              : Character.isLowSurrogate(c)
                  && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)));
      if (c == 0 || half) {
        throw new LoraGraphException(
            "%s: '%s' has %s in it: %s"
                .formatted(
                    place, what, c == 0 ? "a NUL character" : "half of a character", advice));
      }
    }
    return text;
  }

  /** Names in a list of a bounded length, for a message. */
  public static String shortened(List<String> names) {
    String joined = names.stream().map(DataFile::printable).collect(Collectors.joining(", "));
    return PlainText.shortened(joined, LONGEST_LIST);
  }

  static String printable(String name) {
    return name.replaceAll("\\p{Cntrl}", "?");
  }
}
