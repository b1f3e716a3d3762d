package io.github.loragraph.task;

import io.github.loragraph.data.LabelSet;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The figures of one class. A figure that would be 0/0 is not defined: NaN.
 *
 * @param precision the share of what was taken for this class that is of it
 * @param recall the share of what is of this class that was taken for it
 * @param f1 the harmonic mean of both, 2·right / (taken + support); not defined only for a class
 *     that occurs neither among the labels nor among the answers
 * @param support how many are of this class
 */
public record ClassFigures(double precision, double recall, double f1, long support) {
  /**
   * Figures from counts.
   *
   * @param right taken for the class and of it
   * @param claimed taken for the class
   * @param support of the class
   */
  static ClassFigures of(long right, long claimed, long support) {
    return new ClassFigures(
        ratio(right, claimed), ratio(right, support), ratio(2 * right, claimed + support), support);
  }

  /** Whether the class occurs among labels or answers, so that it has an F1. */
  public boolean occurs() {
    return !Double.isNaN(f1);
  }

  /**
   * The mean F1 of the classes that occur among labels or answers, each counted once: what
   * scikit-learn calls macro F1. NaN where none does.
   */
  static double macroF1(List<ClassFigures> classes) {
    return classes.stream()
        .filter(ClassFigures::occurs)
        .mapToDouble(ClassFigures::f1)
        .average()
        .orElse(Double.NaN);
  }

  /** The mean F1, each class counted as often as it is a label; NaN where none is. */
  static double weightedF1(List<ClassFigures> classes) {
    double sum = 0;
    long support = 0;
    for (ClassFigures figures : classes) {
      sum += figures.support == 0 ? 0 : figures.f1 * figures.support;
      support += figures.support;
    }
    return support == 0 ? Double.NaN : sum / support;
  }

  /** The figures of all classes for JSON, and which ones occur nowhere. */
  static Map<String, Object> details(List<ClassFigures> classes, List<String> names) {
    List<Map<String, Object>> entries = new ArrayList<>();
    for (int c = 0; c < classes.size(); c++) {
      ClassFigures figures = classes.get(c);
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("label", names.get(c));
      entry.put("precision", Report.finite(figures.precision));
      entry.put("recall", Report.finite(figures.recall));
      entry.put("f1", Report.finite(figures.f1));
      entry.put("support", figures.support);
      entries.add(entry);
    }
    Map<String, Object> details = new LinkedHashMap<>();
    details.put("classes", entries);
    details.put("absentClasses", absent(classes, names));
    return details;
  }

  /** The classes that occur neither among the labels nor among the answers, in a line. */
  static List<String> remarks(List<ClassFigures> classes, List<String> names) {
    List<String> absent = absent(classes, names);
    return absent.isEmpty()
        ? List.of()
        : List.of(
            "macroF1 is the mean of %d of %d classes; neither a label nor an answer: %s"
                .formatted(names.size() - absent.size(), names.size(), new LabelSet(absent)));
  }

  private static List<String> absent(List<ClassFigures> classes, List<String> names) {
    return IntStream.range(0, classes.size())
        .filter(c -> !classes.get(c).occurs())
        .mapToObj(names::get)
        .toList();
  }

  /** A row for each class. */
  static Table table(List<ClassFigures> classes, List<String> names) {
    List<List<Object>> rows = new ArrayList<>();
    for (int c = 0; c < classes.size(); c++) {
      ClassFigures f = classes.get(c);
      rows.add(List.of(names.get(c), f.precision, f.recall, f.f1, f.support));
    }
    return new Table(List.of("class", "precision", "recall", "F1", "examples"), rows);
  }

  /** NaN where the whole is nothing. */
  static double ratio(long part, long whole) {
    return whole == 0 ? Double.NaN : (double) part / whole;
  }
}
