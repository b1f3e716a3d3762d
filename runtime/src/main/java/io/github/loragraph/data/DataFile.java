package io.github.loragraph.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import io.github.loragraph.LoraGraphException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * Reads examples, UTF-8: tab-separated ({@code .tsv}: no quoting) and comma-separated ({@code
 * .csv}: RFC 4180) text with a heading, and JSON lines ({@code .jsonl}, {@code .ndjson}, {@code
 * .json}) with text or with numbers for the model's inputs. A byte order mark, either line end and
 * empty lines at the end are taken; texts and labels lose the spaces around them.
 */
public final class DataFile {
  private static final String IDS = "input_ids";

  private static final ObjectReader JSON =
      new ObjectMapper().reader(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private final Path file;
  private final Columns columns;
  private final boolean labelled;

  /** Whether text may be missing. */
  private boolean labelsOnly;

  private DataFile(Path file, Columns columns, boolean labelled) {
    this.file = file;
    this.columns = columns;
    this.labelled = labelled;
  }

  /**
   * Reads all rows, with their labels where there are any.
   *
   * @throws LoraGraphException if the file is missing, of another kind or empty, or a line of it
   *     cannot be read; it names the line
   */
  public static List<Row> read(Path file, Columns columns) {
    return new DataFile(file, columns, false).read();
  }

  /**
   * Reads all rows, each of which must have a label.
   *
   * @throws LoraGraphException as {@link #read} does, or if a row has no label
   */
  public static List<Row> readLabelled(Path file, Columns columns) {
    return new DataFile(file, columns, true).read();
  }

  /**
   * Reads the labels alone; text is not looked for.
   *
   * @throws LoraGraphException as {@link #readLabelled} does
   */
  public static List<String> readLabels(Path file, Columns columns) {
    DataFile data = new DataFile(file, columns, true);
    data.labelsOnly = true;
    return data.read().stream().map(Row::label).toList();
  }

  private List<Row> read() {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    TextLines text = new TextLines(file);
    List<Row> rows;
    if (name.endsWith(".tsv")) {
      rows = text.read(this::tabSeparated);
    } else if (name.endsWith(".csv")) {
      rows = text.read(this::commaSeparated);
    } else if (name.endsWith(".jsonl") || name.endsWith(".ndjson") || name.endsWith(".json")) {
      rows = text.read(this::jsonLines);
    } else {
      throw new LoraGraphException(
          file + " is no .tsv, .csv or .jsonl file: convert it, or give it the right ending");
    }
    if (rows.isEmpty()) {
      throw new LoraGraphException(file + " holds no examples: give a file with at least one row");
    }
    return rows;
  }

  private String place(long line) {
    return file + ":" + line;
  }

  /**
   * Reads rows of one line each.
   *
   * @param row makes one of a line and its number
   */
  private List<Row> lines(BufferedReader text, long firstLine, LineReader row) throws IOException {
    List<Row> rows = new ArrayList<>();
    long empty = 0;
    long number = firstLine;
    for (String line = text.readLine(); line != null; line = text.readLine(), number++) {
      if (line.isBlank()) {
        empty = empty == 0 ? number : empty;
      } else if (empty > 0) {
        throw new LoraGraphException(place(empty) + " is an empty line between others: delete it");
      } else {
        rows.add(row.read(line, number));
      }
    }
    return rows;
  }

  @FunctionalInterface
  private interface LineReader {
    Row read(String line, long number);
  }

  private List<Row> tabSeparated(BufferedReader text) throws IOException {
    String first = text.readLine();
    if (first == null || first.isBlank()) {
      return List.of();
    }
    Heading heading = new Heading(fields(first));
    return lines(text, 2, (line, number) -> heading.row(fields(line), number));
  }

  private static List<String> fields(String line) {
    return Arrays.asList(line.split("\t", -1));
  }

  private List<Row> commaSeparated(BufferedReader text) throws IOException {
    List<Row> rows = new ArrayList<>();
    long line = 1;
    // Rows of another length are refused below, with their line.
    try (CsvReader<CsvRecord> reader =
        CsvReader.builder()
            .skipEmptyLines(true)
            .allowUnclosedQuote(false)
            .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
            .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
            .ofCsvRecord(text)) {
      Heading heading = null;
      for (CsvRecord record : reader) {
        line = record.getStartingLineNumber();
        if (heading == null) {
          heading = new Heading(record.getFields());
        } else {
          rows.add(heading.row(record.getFields(), line));
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (CsvParseException e) {
      Throwable reason = e.getCause() == null ? e : e.getCause();
      throw new LoraGraphException(
          "%s: a row after line %d is not well-formed CSV: %s"
              .formatted(file, line, reason.getMessage().lines().findFirst().orElse("")),
          e);
    }
    return rows;
  }

  /** The first line of a table, and how the others are read with it. */
  private final class Heading {
    private final List<String> names;
    private final int text;
    private final int textPair;
    private final int label;

    Heading(List<String> fields) {
      names = fields.stream().map(String::strip).toList();
      text = labelsOnly ? -1 : index(columns.text(), true, "--text-column");
      textPair = index(columns.textPair(), false, "--text-pair-column");
      label = index(columns.label(), labelled, "--label-column");
    }

    /** A column that was named by itself has to be there. */
    private int index(List<String> candidates, boolean required, String option) {
      for (String candidate : candidates) {
        if (names.contains(candidate)) {
          return names.indexOf(candidate);
        }
      }
      if (required || candidates.size() == 1) {
        throw new LoraGraphException(
            "%s has no column '%s'; its first line names the columns: %s (%s)"
                .formatted(place(1), candidates.get(0), shortened(names), advice(option)));
      }
      return -1;
    }

    private String advice(String option) {
      if (names.size() == 1 && names.get(0).matches(".*[;,\t|].*")) {
        return ".csv files are divided by commas, .tsv files by tabs";
      }
      return "name one with " + option + ", or put a heading there";
    }

    Row row(List<String> fields, long line) {
      if (fields.size() != names.size()) {
        throw new LoraGraphException(
            "%s has %s where the first line has %d: mend or delete the line"
                .formatted(
                    place(line),
                    fields.size() == 1 ? "1 column" : fields.size() + " columns",
                    names.size()));
      }
      return new Row(
          text < 0 ? null : field(fields, text, line),
          textPair < 0 ? null : field(fields, textPair, line),
          label < 0 ? null : labelled ? field(fields, label, line) : fields.get(label).strip(),
          Map.of(),
          place(line));
    }

    private String field(List<String> fields, int column, long line) {
      String value = fields.get(column).strip();
      if (value.isEmpty()) {
        throw new LoraGraphException(
            "%s has nothing in column '%s': mend or delete the line"
                .formatted(place(line), names.get(column)));
      }
      return value;
    }
  }

  private static String shortened(List<String> names) {
    String joined = String.join(", ", names);
    return joined.length() <= 200 ? joined : joined.substring(0, 200) + "...";
  }

  private List<Row> jsonLines(BufferedReader text) throws IOException {
    return lines(text, 1, this::jsonRow);
  }

  /** Without the parser's words on where it stood: the line is named. */
  private static String reason(JsonProcessingException e) {
    String first = e.getOriginalMessage().lines().findFirst().orElse("");
    int position = first.indexOf(" (start marker");
    return position < 0 ? first : first.substring(0, position);
  }

  private Row jsonRow(String line, long number) {
    String place = place(number);
    JsonNode object;
    try {
      object = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(
          "%s is not JSON: %s%s"
              .formatted(
                  place,
                  reason(e),
                  line.strip().startsWith("[") || line.strip().equals("{")
                      ? " (each line is one object: write the file as JSON lines)"
                      : ""),
          e);
    }
    if (!object.isObject()) {
      throw new LoraGraphException(
          place
              + " is no JSON object: each line is one example, as {\"text\": ..., \"label\": ...}");
    }
    String labelName = present(object, columns.label());
    if (labelName == null && (labelled || columns.label().size() == 1)) {
      throw missing(object, columns.label(), "--label-column", place);
    }
    String label = labelName == null ? null : label(object.get(labelName));
    if (labelsOnly) {
      return new Row(null, null, label, Map.of(), place);
    }
    String textName = present(object, columns.text());
    if (textName == null && columns.text().size() == 1) {
      throw missing(object, columns.text(), "--text-column", place);
    }
    if (textName != null && !object.has(IDS)) {
      String pairName = present(object, columns.textPair());
      return new Row(
          text(object, textName, place),
          pairName == null ? null : text(object, pairName, place),
          label,
          Map.of(),
          place);
    }
    Map<String, Values> values = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : object.properties()) {
      String name = field.getKey();
      if (!columns.label().contains(name)
          && !columns.text().contains(name)
          && !columns.textPair().contains(name)) {
        values.put(name, numbers(name, field.getValue(), place));
      }
    }
    if (values.isEmpty()) {
      throw missing(object, columns.text(), "--text-column", place);
    }
    return new Row(null, null, label, values, place);
  }

  /** The first of the names under which an object has something. */
  private static String present(JsonNode object, List<String> names) {
    return names.stream().filter(object::hasNonNull).findFirst().orElse(null);
  }

  private static LoraGraphException missing(
      JsonNode object, List<String> names, String option, String place) {
    List<String> there = new ArrayList<>();
    object.fieldNames().forEachRemaining(there::add);
    if (names.stream().anyMatch(object::has)) {
      return new LoraGraphException(
          "%s: '%s' is null: mend or delete the line".formatted(place, names.get(0)));
    }
    return new LoraGraphException(
        "%s has no '%s'; it has: %s (name one with %s)"
            .formatted(place, names.get(0), shortened(there), option));
  }

  private static String label(JsonNode value) {
    return value.isValueNode() ? value.asText().strip() : value.toString();
  }

  private static String text(JsonNode object, String name, String place) {
    JsonNode value = object.get(name);
    if (!value.isTextual() || value.asText().isBlank()) {
      throw new LoraGraphException(
          "%s: '%s' is no text, or empty: mend or delete the line".formatted(place, name));
    }
    return value.asText().strip();
  }

  /** A number, or lists of numbers in lists of one length. */
  private static Values numbers(String name, JsonNode value, String place) {
    List<JsonNode> numbers = new ArrayList<>();
    List<Integer> shape = new ArrayList<>();
    for (JsonNode inner = value; inner != null && inner.isArray(); inner = inner.get(0)) {
      shape.add(inner.size());
    }
    Function<String, LoraGraphException> refusal =
        reason -> new LoraGraphException("%s: '%s' %s".formatted(place, name, reason));
    if (!flatten(value, shape, 0, numbers)) {
      throw refusal.apply("is no list of numbers (or lists of one length), as a model input is");
    }
    int[] sizes = shape.stream().mapToInt(Integer::intValue).toArray();
    if (numbers.stream().allMatch(JsonNode::isIntegralNumber)) {
      if (!numbers.stream().allMatch(JsonNode::canConvertToInt)) {
        throw refusal.apply("has an integer of more than 32 bits");
      }
      return Values.shaped(numbers.stream().mapToInt(JsonNode::intValue).toArray(), sizes);
    }
    float[] floats = new float[numbers.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = numbers.get(i).floatValue();
      if (!Float.isFinite(floats[i])) {
        throw refusal.apply("has a number that no 32-bit float holds");
      }
    }
    return Values.shaped(floats, sizes);
  }

  private static boolean flatten(
      JsonNode value, List<Integer> shape, int axis, List<JsonNode> numbers) {
    if (axis == shape.size()) {
      numbers.add(value);
      return value.isNumber();
    }
    if (!value.isArray() || value.size() != shape.get(axis)) {
      return false;
    }
    for (JsonNode element : value) {
      if (!flatten(element, shape, axis + 1, numbers)) {
        return false;
      }
    }
    return true;
  }
}
