package io.github.loragraph.cli;

import io.github.loragraph.data.LabelSet;
import io.github.loragraph.evaluation.ClassFigures;
import io.github.loragraph.evaluation.ClassificationReport;
import io.github.loragraph.evaluation.Report;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

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
    List<ClassFigures> figures = report.classes();
    List<Map<String, Object>> classes = new ArrayList<>();
    for (int c = 0; c < figures.size(); c++) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("label", names.get(c));
      entry.put("precision", orNull(figures.get(c).precision()));
      entry.put("recall", orNull(figures.get(c).recall()));
      entry.put("f1", orNull(figures.get(c).f1()));
      entry.put("support", figures.get(c).support());
      classes.add(entry);
    }
    if (!classes.isEmpty()) {
      json.put("classes", classes);
      json.put("absentClasses", absent());
    }
    if (report instanceof ClassificationReport classification) {
      json.put("confusion", classification.confusion());
    }
    return json;
  }

  void printTo(PrintWriter out) {
    String figures =
        report.figures().entrySet().stream()
            .map(e -> e.getKey() + " " + figure(e.getValue()))
            .collect(Collectors.joining(", "));
    out.printf(Locale.ROOT, "%,d examples: %s%n", report.examples(), figures);
    if (!report.classes().isEmpty()) {
      printAbsent(out);
      out.println();
      printClasses(out);
    }
    if (report instanceof ClassificationReport classification) {
      out.println();
      printConfusion(out, classification.confusion());
    }
  }

  private static Double orNull(double figure) {
    return Double.isFinite(figure) ? figure : null;
  }

  /** The classes that occur neither among the labels nor among the answers. */
  private List<String> absent() {
    return IntStream.range(0, names.size())
        .filter(c -> !report.classes().get(c).occurs())
        .mapToObj(names::get)
        .toList();
  }

  private void printAbsent(PrintWriter out) {
    List<String> absent = absent();
    if (!absent.isEmpty()) {
      out.printf(
          "macroF1 is the mean of %d of %d classes; neither a label nor an answer: %s%n",
          names.size() - absent.size(), names.size(), new LabelSet(absent));
    }
  }

  private void printClasses(PrintWriter out) {
    List<String[]> rows = new ArrayList<>();
    rows.add(new String[] {"class", "precision", "recall", "F1", "examples"});
    for (int c = 0; c < names.size(); c++) {
      ClassFigures f = report.classes().get(c);
      rows.add(
          new String[] {
            names.get(c),
            cell(f.precision()),
            cell(f.recall()),
            cell(f.f1()),
            Long.toString(f.support())
          });
    }
    new TextTable(rows, Set.of(1, 2, 3, 4)).printTo(out);
  }

  private void printConfusion(PrintWriter out, long[][] confusion) {
    List<String[]> rows = new ArrayList<>();
    String[] heading = new String[names.size() + 1];
    heading[0] = "actual \\ predicted";
    IntStream.range(0, names.size()).forEach(c -> heading[c + 1] = names.get(c));
    rows.add(heading);
    for (int c = 0; c < names.size(); c++) {
      String[] row = new String[names.size() + 1];
      row[0] = names.get(c);
      for (int p = 0; p < names.size(); p++) {
        row[p + 1] = Long.toString(confusion[c][p]);
      }
      rows.add(row);
    }
    Set<Integer> numbers = Set.copyOf(IntStream.rangeClosed(1, names.size()).boxed().toList());
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
