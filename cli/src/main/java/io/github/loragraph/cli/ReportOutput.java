package io.github.loragraph.cli;

import io.github.loragraph.evaluation.ClassFigures;
import io.github.loragraph.evaluation.ClassificationReport;
import io.github.loragraph.evaluation.MultilabelReport;
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
    return String.format(
        Locale.ROOT, "loss %.4f, %s %.4f", report.loss(), report.scoreName(), report.score());
  }

  Map<String, Object> json() {
    Map<String, Object> json = new LinkedHashMap<>(report.figures());
    json.put("examples", report.examples());
    List<ClassFigures> figures = classes();
    List<Map<String, Object>> classes = new ArrayList<>();
    for (int c = 0; c < figures.size(); c++) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("label", names.get(c));
      entry.put("precision", figures.get(c).precision());
      entry.put("recall", figures.get(c).recall());
      entry.put("f1", figures.get(c).f1());
      entry.put("support", figures.get(c).support());
      classes.add(entry);
    }
    if (!classes.isEmpty()) {
      json.put("classes", classes);
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
    if (!classes().isEmpty()) {
      out.println();
      printClasses(out);
    }
    if (report instanceof ClassificationReport classification) {
      out.println();
      printConfusion(out, classification.confusion());
    }
  }

  private List<ClassFigures> classes() {
    if (report instanceof ClassificationReport classification) {
      return classification.classes();
    }
    return report instanceof MultilabelReport multilabel ? multilabel.classes() : List.of();
  }

  private void printClasses(PrintWriter out) {
    List<String[]> rows = new ArrayList<>();
    rows.add(new String[] {"class", "precision", "recall", "F1", "examples"});
    for (int c = 0; c < names.size(); c++) {
      ClassFigures f = classes().get(c);
      rows.add(
          new String[] {
            names.get(c),
            figure(f.precision()),
            figure(f.recall()),
            figure(f.f1()),
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

  private static String figure(double value) {
    return String.format(Locale.ROOT, "%.4f", value);
  }
}
