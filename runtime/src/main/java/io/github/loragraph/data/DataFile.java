package io.github.loragraph.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import io.github.loragraph.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Reads labelled examples, UTF-8: tab-separated ({@code .tsv}: no quoting) and comma-separated
 * ({@code .csv}: RFC 4180) text with a heading, and JSON lines ({@code .jsonl}) with text or with
 * numbers for the model's inputs.
 */
public final class DataFile {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final Columns columns;

  private DataFile(Path file, Columns columns) {
    this.file = file;
    this.columns = columns;
  }

  /**
   * Reads all rows.
   *
   * @throws LoraGraphException if the file is missing, of another kind or empty, or a line of it
   *     cannot be read; it names the line
   */
  public static List<Row> read(Path file, Columns columns) {
    return new DataFile(file, columns).read();
  }

  private List<Row> read() {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    List<Row> rows;
    if (name.endsWith(".tsv")) {
      rows = tabSeparated();
    } else if (name.endsWith(".csv")) {
      rows = commaSeparated();
    } else if (name.endsWith(".jsonl") || name.endsWith(".ndjson")) {
      rows = jsonLines();
    } else {
      throw new LoraGraphException(
          file + " is no .tsv, .csv or .jsonl file: convert it, or give it the right ending");
    }
    if (rows.isEmpty()) {
      throw new LoraGraphException(file + " holds no examples: give a file with at least one row");
    }
    return rows;
  }

  private String content() {
    if (!Files.exists(file)) {
      throw new LoraGraphException("no such data file: " + file);
    }
    if (Files.isDirectory(file)) {
      throw new LoraGraphException(file + " is a folder: name a .tsv, .csv or .jsonl file");
    }
    try {
      String content = Files.readString(file, StandardCharsets.UTF_8);
      return content.startsWith("\ufeff") ? content.substring(1) : content;
    } catch (CharacterCodingException e) {
      throw new LoraGraphException(
          file + " is not UTF-8 text: convert it (iconv -t UTF-8), or is it a binary file?", e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
    }
  }

  private List<Row> tabSeparated() {
    String[] lines = content().split("\r\n|\n|\r", -1);
    Heading heading = new Heading(Arrays.asList(lines[0].split("\t", -1)));
    List<Row> rows = new ArrayList<>();
    for (int i = 1; i < lines.length; i++) {
      if (!lines[i].isBlank()) {
        rows.add(heading.row(Arrays.asList(lines[i].split("\t", -1)), i + 1));
      }
    }
    return rows;
  }

  private List<Row> commaSeparated() {
    List<Row> rows = new ArrayList<>();
    try (CsvReader<CsvRecord> reader = CsvReader.builder().ofCsvRecord(content())) {
      Heading heading = null;
      for (CsvRecord line : reader) {
        if (heading == null) {
          heading = new Heading(line.getFields());
        } else {
          rows.add(heading.row(line.getFields(), line.getStartingLineNumber()));
        }
      }
    } catch (CsvParseException e) {
      throw new LoraGraphException(
          file + " is not well-formed CSV: " + e.getMessage().lines().findFirst().orElse(""), e);
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
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
      text = index(columns.text());
      textPair = index(columns.textPair());
      label = index(columns.label());
      if (text < 0) {
        throw new LoraGraphException(
            "%s has no column '%s' in its first line, which has: %s (name the column with --text-column)"
                .formatted(file, columns.text().get(0), String.join(", ", names)));
      }
    }

    private int index(List<String> candidates) {
      return candidates.stream()
          .mapToInt(names::indexOf)
          .filter(i -> i >= 0)
          .findFirst()
          .orElse(-1);
    }

    Row row(List<String> fields, long line) {
      String place = file + ":" + line;
      if (fields.size() != names.size()) {
        throw new LoraGraphException(
            "%s has %d columns where the first line has %d: mend or delete the line"
                .formatted(place, fields.size(), names.size()));
      }
      String first = fields.get(text).strip();
      if (first.isEmpty()) {
        throw new LoraGraphException(place + " has no text: mend or delete the line");
      }
      String second = textPair < 0 ? null : fields.get(textPair).strip();
      String labelled = label < 0 ? null : fields.get(label).strip();
      return new Row(first, second, labelled, Map.of(), place);
    }
  }

  private List<Row> jsonLines() {
    String[] lines = content().split("\r\n|\n", -1);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < lines.length; i++) {
      if (!lines[i].isBlank()) {
        rows.add(jsonRow(lines[i], file + ":" + (i + 1)));
      }
    }
    return rows;
  }

  private Row jsonRow(String line, String place) {
    JsonNode object;
    try {
      object = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(
          "%s is not JSON: %s"
              .formatted(place, e.getOriginalMessage().lines().findFirst().orElse("")),
          e);
    }
    if (!object.isObject()) {
      throw new LoraGraphException(place + " is no JSON object: each line is {...}");
    }
    JsonNode label = first(object, columns.label());
    String labelled = label == null || label.isNull() ? null : label.asText();
    JsonNode text = first(object, columns.text());
    if (text != null) {
      if (!text.isTextual() || text.asText().isBlank()) {
        throw new LoraGraphException(place + " has a text that is no text: mend the line");
      }
      JsonNode pair = first(object, columns.textPair());
      return new Row(
          text.asText().strip(),
          pair == null ? null : pair.asText().strip(),
          labelled,
          Map.of(),
          place);
    }
    Map<String, double[]> values = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : object.properties()) {
      if (field.getValue() != label) {
        values.put(field.getKey(), numbers(field.getKey(), field.getValue(), place));
      }
    }
    if (values.isEmpty()) {
      throw new LoraGraphException(
          "%s has neither '%s' nor numbers for the model's inputs"
              .formatted(place, columns.text().get(0)));
    }
    return new Row(null, null, labelled, values, place);
  }

  private static JsonNode first(JsonNode object, List<String> names) {
    return names.stream().filter(object::has).findFirst().map(object::get).orElse(null);
  }

  private static double[] numbers(String name, JsonNode value, String place) {
    List<JsonNode> entries = new ArrayList<>();
    if (value.isArray()) {
      value.forEach(entries::add);
    } else {
      entries.add(value);
    }
    if (!entries.stream().allMatch(JsonNode::isNumber)) {
      throw new LoraGraphException(
          "%s: '%s' is no list of numbers, which a model input is".formatted(place, name));
    }
    return entries.stream().mapToDouble(JsonNode::asDouble).toArray();
  }
}
