package io.github.loragraph.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import io.github.loragraph.error.LoraGraphException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Rows of a table with a heading, or of one whose columns are known without.
 *
 * <p>Long because quotes, headings and rows of tables are read by rules that belong together.
 */
final class TableReader {
  private final DataFile.Request request;
  private final TableForm form;

  TableReader(DataFile.Request request, TableForm form) {
    this.request = request;
    this.form = form;
  }

  void tabSeparated(TextLines text, DataFile.Visitor visitor) {
    Quotes quotes = text.read(reader -> Quotes.of(text.lines(reader)));
    text.each(
        reader -> {
          TextLines.Lines lines = text.lines(reader);
          String first = lines.next();
          if (first == null || first.isBlank()) {
            return;
          }
          boolean spaces = form.spaces() && first.indexOf('\t') < 0;
          List<String> cells = spaces ? words(first) : fields(first);
          Heading heading = heading(cells.stream().map(Quotes::bare).toList());
          quotes.tell(heading);
          if (heading.isRow) {
            visitor.row(
                heading.row(quotes.without(cells), 1), heading.named(quotes.without(cells)));
          }
          for (String line = lines.nextFilled(); line != null; line = lines.nextFilled()) {
            List<String> fields = spaces ? words(line) : fields(line);
            heading.requireSize(fields, lines.number());
            List<String> bare = quotes.without(fields);
            visitor.row(heading.row(bare, lines.number()), heading.named(bare));
          }
        });
  }

  private Heading heading(List<String> cells) {
    List<String> names = form.names(cells);
    if (names == null) {
      return new Heading(cells, false);
    }
    request
        .notices()
        .accept(
            "%s has no heading: its columns are taken for %s"
                .formatted(request.file(), DataFile.shortened(names)));
    return new Heading(names, true);
  }

  private static List<String> words(String line) {
    return Arrays.asList(line.strip().split("\\s+"));
  }

  private static List<String> fields(String line) {
    return Arrays.asList(line.split("\t", -1));
  }

  void commaSeparated(TextLines text, DataFile.Visitor visitor) {
    text.each(reader -> commaSeparated(reader, visitor));
  }

  private void commaSeparated(BufferedReader text, DataFile.Visitor visitor) throws IOException {
    long line = 1;
    // Rows of another length are refused below, with their line.
    try (CsvReader<CsvRecord> reader =
        CsvReader.builder()
            .skipEmptyLines(true)
            .allowUnclosedQuote(false)
            .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
            .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
            .maxBufferSize(DataFile.LONGEST_ROW)
            .ofCsvRecord(text)) {
      Heading heading = null;
      for (CsvRecord record : reader) {
        line = record.getStartingLineNumber();
        if (heading == null) {
          heading = heading(record.getFields());
          if (heading.isRow) {
            visitor.row(heading.row(record.getFields(), line), heading.named(record.getFields()));
          }
        } else {
          heading.requireSize(record.getFields(), line);
          visitor.row(heading.row(record.getFields(), line), heading.named(record.getFields()));
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } catch (CsvParseException e) {
      if (e.getCause() instanceof CharacterCodingException malformed) {
        throw malformed;
      }
      Throwable reason = e.getCause() == null ? e : e.getCause();
      String words = String.valueOf(reason.getMessage()).lines().findFirst().orElse("");
      throw new LoraGraphException(
          words.contains("buffer size")
              ? "%s: a row after line %d has more than %,d characters: mend or delete it (is a quote not closed?)"
                  .formatted(request.file(), line, DataFile.LONGEST_ROW)
              : "%s: a row after line %d is not well-formed CSV: %s"
                  .formatted(request.file(), line, words),
          e);
    }
  }

  /** The first line of a table, and how the others are read with it. */
  private final class Heading {
    private final List<String> names;
    private final int text;
    private final int textPair;
    private final int label;

    private final NoticesOnce once = NoticesOnce.of(request.notices());

    /** Whether the line that it was made of is a row itself. */
    private final boolean isRow;

    Heading(List<String> fields, boolean isRow) {
      this.isRow = isRow;
      names = fields.stream().map(String::strip).toList();
      for (int i = 0; i < names.size(); i++) {
        if (!names.get(i).isEmpty() && names.indexOf(names.get(i)) < i) {
          throw new LoraGraphException(
              "%s names the column '%s' twice: give each another name"
                  .formatted(request.place(1), DataFile.shortened(names.subList(i, i + 1))));
        }
      }
      Columns columns = request.columns();
      text = request.texts() ? index(columns.text(), true, "text") : -1;
      textPair = request.texts() ? index(columns.textPair(), false, "text pair") : -1;
      label = index(columns.label(), request.labelled(), "label");
      ColumnNames.refuseTwoRoles(
          nameOf(text),
          nameOf(textPair),
          request.labelled() ? nameOf(label) : null,
          request.place(1));
      tellChoice(columns);
    }

    /** The columns that are read; -1 for one that is not there. */
    int[] read() {
      return request.fields() && !request.texts()
          ? IntStream.range(0, names.size()).toArray()
          : new int[] {text, textPair, label};
    }

    private @Nullable String nameOf(int column) {
      return column < 0 ? null : names.get(column);
    }

    /** A column that was named by itself has to be there. */
    private int index(List<String> candidates, boolean required, String role) {
      String found = ColumnNames.find(names, candidates, request.place(1), once);
      if (found != null) {
        return names.indexOf(found);
      }
      if (required || candidates.size() == 1) {
        String what =
            "%s has no column '%s'; its first line names the columns: %s"
                .formatted(request.place(1), candidates.get(0), DataFile.shortened(names));
        throw isDividedOtherwise()
            ? new LoraGraphException(
                what + " (.csv files are divided by commas, .tsv files by tabs)")
            : ColumnNames.missing(what, candidates, names, role);
      }
      return -1;
    }

    private boolean isDividedOtherwise() {
      return names.size() == 1 && names.get(0).matches(".*[;,\t|].*");
    }

    /** Says which columns are taken where that could have been others, or where it makes pairs. */
    private void tellChoice(Columns columns) {
      boolean several =
          text >= 0 && columns.text().stream().filter(names::contains).count() > 1
              || columns.label().stream().filter(names::contains).count() > 1 && request.labelled();
      boolean pairs = textPair >= 0 && columns.textPair().size() > 1;
      if (several || pairs) {
        request
            .notices()
            .accept(
                "%s: %s%s"
                    .formatted(
                        request.file(),
                        text < 0
                            ? ""
                            : textPair < 0
                                ? "text from '%s'".formatted(names.get(text))
                                : "pairs of '%s' and '%s'"
                                    .formatted(names.get(text), names.get(textPair)),
                        label < 0
                            ? ""
                            : (text < 0 ? "" : ", ")
                                + "label from '%s'".formatted(names.get(label))));
      }
    }

    void say(String words, Object... arguments) {
      request.notices().accept(request.file() + ": " + words.formatted(arguments));
    }

    void requireSize(List<String> fields, long line) {
      if (fields.size() != names.size()) {
        throw new LoraGraphException(
            "%s has %s where the first line has %d: mend or delete the line"
                .formatted(
                    request.place(line),
                    fields.size() == 1 ? "1 column" : fields.size() + " columns",
                    names.size()));
      }
    }

    Row row(List<String> fields, long line) {
      String place = request.place(line);
      return new Row(
              text < 0 ? null : field(fields, text, place, request.emptyTexts()),
              textPair < 0 ? null : field(fields, textPair, place, request.emptyTexts()),
              label < 0 ? null : field(fields, label, place, !request.labelled()),
              Map.of(),
              place)
          .writtenAs(text < 0 ? null : fields.get(text));
    }

    private String field(List<String> fields, int column, String place, boolean mayBeEmpty) {
      String value = fields.get(column).strip();
      if (value.isEmpty() && !mayBeEmpty) {
        throw new LoraGraphException(
            "%s has nothing in column '%s': mend or delete the line"
                .formatted(place, names.get(column)));
      }
      return DataFile.checked(value, names.get(column), place);
    }

    Map<String, JsonNode> named(List<String> fields) {
      if (!request.fields()) {
        return Map.of();
      }
      Map<String, JsonNode> named = new LinkedHashMap<>();
      for (int i = 0; i < names.size(); i++) {
        named.put(names.get(i), TextNode.valueOf(fields.get(i)));
      }
      return named;
    }
  }

  /**
   * Which columns of a TSV are quoted: those without a filled cell that is not. Programs that quote
   * only some cells, and texts that begin and end with a quote by nature, look the same; there the
   * quotes stay, which is said.
   */
  private static final class Quotes {
    private static final int NOTICED_SHARE = 10;

    private int[] filled = new int[8];
    private int[] quoted = new int[8];
    private boolean[] doubled = new boolean[8];
    private long rows;

    static Quotes of(TextLines.Lines lines) throws IOException {
      Quotes quotes = new Quotes();
      lines.next();
      for (String line = lines.next(); line != null; line = lines.next()) {
        quotes.rows++;
        int column = 0;
        int begin = 0;
        for (int tab = line.indexOf('\t'); tab >= 0; tab = line.indexOf('\t', begin)) {
          quotes.count(column++, line, begin, tab);
          begin = tab + 1;
        }
        quotes.count(column, line, begin, line.length());
      }
      return quotes;
    }

    /** A cell of a line; most begin with a character that no quotes can stand around. */
    private void count(int column, String line, int begin, int end) {
      if (column == filled.length) {
        filled = Arrays.copyOf(filled, 2 * column);
        quoted = Arrays.copyOf(quoted, 2 * column);
        doubled = Arrays.copyOf(doubled, 2 * column);
      }
      if (begin < end && isPlain(line.charAt(begin))) {
        filled[column]++;
        return;
      }
      String cell = line.substring(begin, end).strip();
      if (!cell.isEmpty()) {
        filled[column]++;
        if (isQuoted(cell)) {
          quoted[column]++;
          doubled[column] |= cell.substring(1).contains("\"\"");
        }
      }
    }

    private static boolean isPlain(char c) {
      return c > '"' && c < 0x7f;
    }

    /** Quotes around it, and inside only doubled ones. */
    private static boolean isQuoted(String cell) {
      return cell.length() >= 2
          && cell.startsWith("\"")
          && cell.endsWith("\"")
          && !cell.substring(1, cell.length() - 1).replace("\"\"", "").contains("\"");
    }

    static String bare(String cell) {
      String stripped = cell.strip();
      return isQuoted(stripped)
          ? stripped.substring(1, stripped.length() - 1).replace("\"\"", "\"")
          : cell;
    }

    private boolean whole(int column) {
      return column < quoted.length && quoted[column] > 0 && quoted[column] == filled[column];
    }

    List<String> without(List<String> fields) {
      List<String> bare = fields;
      for (int i = 0; i < fields.size(); i++) {
        if (whole(i)) {
          bare = bare == fields ? new ArrayList<>(fields) : bare;
          bare.set(i, bare(fields.get(i)));
        }
      }
      return bare;
    }

    void tell(Heading heading) {
      for (int column : heading.read()) {
        if (column < 0 || column >= quoted.length || quoted[column] == 0) {
          continue;
        }
        int share = quoted[column];
        String name = heading.names.get(column);
        if (whole(column)) {
          heading.say("every cell of column '%s' is quoted: the quotes are taken off", name);
        } else if (doubled[column]
            || column == heading.label
            || (long) share * NOTICED_SHARE >= rows) {
          heading.say(
              "%,d of %,d cells of column '%s' are quoted: the quotes stay in the text (as .csv"
                  + " they would not)",
              share, filled[column], name);
        }
      }
    }
  }
}
