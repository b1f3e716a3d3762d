package io.github.loragraph.cli;

import io.github.loragraph.task.Report;
import io.github.loragraph.task.Table;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A report for people and for programs.
 *
 * @param names of the classes
 */
record ReportOutput(Report report, List<String> names) {
  /** Loss and score on one line: {@code loss 0.1803, accuracy 0.9333}. */
  static String headline(Report report) {
    return "loss %s, %s %s"
        .formatted(figure(report.loss()), report.scoreName(), figure(report.score()));
  }

  Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>(report.finiteFigures());
    json.put("examples", report.examples());
    json.putAll(report.details(names));
    return json;
  }

  void printTo(PrintWriter out) {
    String figures =
        report.figures().entrySet().stream()
            .map(e -> e.getKey() + " " + figure(e.getValue()))
            .collect(Collectors.joining(", "));
    out.printf(Locale.ROOT, "%,d examples: %s%n", report.examples(), figures);
    report.remarks(names).forEach(out::println);
    for (Table table : report.tables(names)) {
      out.println();
      print(table, out);
    }
  }

  /** Numbers stand to the right. */
  private static void print(Table table, PrintWriter out) {
    List<String[]> rows = new ArrayList<>();
    rows.add(table.heading().toArray(String[]::new));
    Set<Integer> numbers = new HashSet<>();
    for (List<Object> row : table.rows()) {
      String[] cells = new String[row.size()];
      for (int i = 0; i < cells.length; i++) {
        Object cell = row.get(i);
        cells[i] = cell instanceof Double value ? cell(value) : cell.toString();
        if (cell instanceof Number) {
          numbers.add(i);
        }
      }
      rows.add(cells);
    }
    new TextTable(rows, numbers).printTo(out);
  }

  /** A figure in a table: '-' where it is not defined. */
  private static String cell(double value) {
    return Double.isNaN(value) ? "-" : figure(value);
  }

  private static String figure(double value) {
    return Double.isFinite(value)
        ? String.format(Locale.ROOT, "%.4f", value)
        : Double.isNaN(value) ? "not defined" : "infinite";
  }
}
