package io.github.loragraph.experiment;

import io.github.loragraph.ExperimentRun;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * {@code results.csv}: a row for each run. Fields are quoted as RFC 4180 has it, lines end with a
 * line feed; what is not known is empty. A text that a spreadsheet would take for a formula has an
 * apostrophe in front.
 */
final class ResultsTable {
  private static final String ACCURACY = "accuracy";
  private static final String LOSS = "loss";

  private ResultsTable() {}

  /**
   * Writes the table, and replaces one that is there.
   *
   * @param folder that the folders of the runs are named in
   */
  static void write(Path file, Path folder, List<ExperimentRun> runs) {
    Set<String> further = new LinkedHashSet<>();
    runs.forEach(run -> further.addAll(run.metrics().keySet()));
    further.removeAll(List.of(ACCURACY, LOSS));
    List<List<String>> rows = new ArrayList<>();
    List<String> heading =
        new ArrayList<>(
            List.of(
                "run",
                "seed",
                "status",
                ACCURACY,
                LOSS,
                "trainableParameters",
                "samplesPerSecond",
                "peakMegabytes",
                "folder"));
    heading.addAll(further);
    rows.add(heading);
    for (ExperimentRun run : runs) {
      List<String> row = new ArrayList<>();
      row.add(run.name());
      row.add(Long.toString(run.seed()));
      row.add(run.status().toString());
      row.add(figure(run, ACCURACY));
      row.add(figure(run, LOSS));
      row.add(
          run.trainableParameters().isPresent()
              ? Long.toString(run.trainableParameters().getAsLong())
              : "");
      row.add(rounded(run.samplesPerSecond()));
      row.add(rounded(run.peakMegabytes()));
      row.add(
          Files.exists(run.folder())
              ? folder.relativize(run.folder()).toString().replace('\\', '/')
              : "");
      further.forEach(metric -> row.add(figure(run, metric)));
      rows.add(row);
    }
    AtomicFile.write(
        file,
        true,
        out -> {
          Writer writer = new OutputStreamWriter(out, StandardCharsets.UTF_8);
          for (List<String> row : rows) {
            line(writer, row);
          }
          writer.flush();
        });
  }

  private static void line(Writer writer, List<String> row) throws IOException {
    writer.write(row.stream().map(ResultsTable::cell).collect(Collectors.joining(",")));
    writer.write('\n');
  }

  private static String cell(String text) {
    String plain = !text.isEmpty() && isFormula(text) ? "'" + text : text;
    return plain.matches("(?s).*[\",\r\n].*") ? '"' + plain.replace("\"", "\"\"") + '"' : plain;
  }

  private static boolean isFormula(String text) {
    return "=+-@\t\r".indexOf(text.charAt(0)) >= 0 && !text.matches("[-+]?[0-9.][0-9.eE+-]*");
  }

  private static String figure(ExperimentRun run, String metric) {
    Double value = run.metrics().get(metric);
    return value == null || value.isNaN() ? "" : Double.toString(value);
  }

  private static String rounded(OptionalDouble value) {
    return value.isPresent() ? String.format(Locale.ROOT, "%.1f", value.getAsDouble()) : "";
  }
}
