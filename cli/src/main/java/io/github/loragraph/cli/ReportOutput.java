package io.github.loragraph.cli;

import io.github.loragraph.Evaluation;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** How well a model does, for people and for programs. */
record ReportOutput(Evaluation report) {
  /**
   * Loss and score on one line: {@code loss 0.1803, accuracy 0.9333}; the score where there is no
   * loss.
   */
  static String headline(Evaluation report) {
    String score = "%s %s".formatted(report.scoreName(), figure(report.score()));
    return report.metrics().containsKey("loss")
        ? "loss %s, %s".formatted(figure(report.loss()), score)
        : score;
  }

  /** All figures by name, null where one is not defined or no finite number. */
  static Map<String, Double> figures(Evaluation report) {
    Map<String, Double> finite = new LinkedHashMap<>(report.metrics());
    finite.replaceAll((name, figure) -> Double.isFinite(figure) ? figure : null);
    return finite;
  }

  Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>(figures(report));
    json.put("examples", report.examples());
    json.putAll(report.details());
    return json;
  }

  void printTo(PrintWriter out) {
    String figures =
        report.metrics().entrySet().stream()
            .map(e -> e.getKey() + " " + figure(e.getValue()))
            .collect(Collectors.joining(", "));
    out.printf(Locale.ROOT, "%,d examples: %s%n", report.examples(), figures);
    report.remarks().forEach(out::println);
    for (Evaluation.Table table : report.tables()) {
      out.println();
      print(table, out);
    }
  }

  /** Numbers stand to the right. */
  private static void print(Evaluation.Table table, PrintWriter out) {
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
