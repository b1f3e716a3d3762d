package io.github.loragraph.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import de.siegmar.fastcsv.writer.CsvWriter;
import de.siegmar.fastcsv.writer.LineDelimiter;
import io.github.loragraph.error.LoraGraphException;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes rows as the name of a file asks for: {@code .tsv}, {@code .csv} or JSON lines, UTF-8. All
 * rows of a table have the fields of the first. Who makes it closes it.
 */
public final class DataFileWriter implements AutoCloseable {
  private enum Format {
    TSV,
    CSV,
    JSON_LINES
  }

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path target;
  private final Format format;
  private final Writer out;

  /** Null for other formats. */
  private final @Nullable CsvWriter csv;

  /** Null before the first row. */
  private @Nullable List<String> heading;

  private long rows;
  private long flattened;

  /**
   * @param target decides the format; what it stands for is written by whoever gives {@code out}
   * @throws LoraGraphException if its ending is none of a data file
   */
  public DataFileWriter(Path target, OutputStream out) {
    this.target = target;
    this.format = format(target);
    this.out = new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8));
    this.csv =
        format == Format.CSV
            ? CsvWriter.builder().lineDelimiter(LineDelimiter.LF).build(this.out)
            : null;
  }

  /**
   * Refuses a file whose name says no format; to be called before long work.
   *
   * @throws LoraGraphException if it is so
   */
  public static void checkTarget(Path target) {
    format(target);
  }

  private static Format format(Path target) {
    String name = target.toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".tsv")) {
      return Format.TSV;
    }
    if (name.endsWith(".csv")) {
      return Format.CSV;
    }
    if (name.endsWith(".jsonl") || name.endsWith(".ndjson") || name.endsWith(".json")) {
      return Format.JSON_LINES;
    }
    throw new LoraGraphException(
        target + " is no .tsv, .csv or .jsonl file: give it one of these endings");
  }

  /**
   * Writes a row.
   *
   * @throws LoraGraphException if a table has other fields
   */
  public void write(Map<String, ? extends JsonNode> fields) throws IOException {
    rows++;
    if (format == Format.JSON_LINES) {
      try {
        out.write(JSON.writeValueAsString(fields));
      } catch (JsonProcessingException e) {
        throw new IllegalStateException(e);
      }
      out.write('\n');
      return;
    }
    if (heading == null) {
      heading = List.copyOf(fields.keySet());
      row(heading);
    } else if (!heading.equals(List.copyOf(fields.keySet()))) {
      throw new LoraGraphException(
          "%s cannot have row %,d: its fields (%s) are not those of the first row (%s); write .jsonl"
              .formatted(
                  target,
                  rows,
                  DataFile.shortened(List.copyOf(fields.keySet())),
                  DataFile.shortened(heading)));
    }
    List<String> cells = new ArrayList<>();
    for (JsonNode value : fields.values()) {
      cells.add(value.isNull() ? "" : value.isValueNode() ? value.asText() : value.toString());
    }
    row(cells);
  }

  private void row(List<String> cells) throws IOException {
    if (csv != null) {
      csv.writeRecord(cells);
      return;
    }
    boolean flat = false;
    for (int i = 0; i < cells.size(); i++) {
      String cell = cells.get(i).replaceAll("\r\n|[\n\r\t]", " ");
      flat |= !cell.equals(cells.get(i));
      out.write(i == 0 ? "" : "\t");
      out.write(cell);
    }
    flattened += flat ? 1 : 0;
    out.write('\n');
  }

  /** The number of rows that were written. */
  public long rows() {
    return rows;
  }

  /** In how many rows of a TSV tabs and line ends became spaces, since it cannot have them. */
  public long flattened() {
    return flattened;
  }

  /** Hands over what is left; the stream stays open. */
  @Override
  public void close() throws IOException {
    if (csv != null) {
      csv.flush();
    }
    out.flush();
  }
}
