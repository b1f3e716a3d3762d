package io.github.loragraph;

import io.github.loragraph.task.ClassFigures;
import io.github.loragraph.task.Report;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * How well a model does on labelled examples. Immutable.
 *
 * <p>No getter throws: what a task does not have is empty, and what is not defined is NaN.
 *
 * @param task what was measured
 * @param examples the number of examples, or of tokens where each has a label
 * @param metrics all figures by name, the loss first: {@code loss}, and {@code accuracy}, {@code
 *     macroF1} and {@code weightedF1} of classes, or the correlations of a regression; without a
 *     loss {@code ndcg@10} and others of a search. NaN where one is not defined
 * @param scoreName the name of the one figure to judge by
 * @param classes the figures of each class, in the order of the logits; empty for {@link
 *     Task#REGRESSION} and {@link Task#MULTIOUTPUT_REGRESSION}, whose figures for each number are
 *     in the details
 * @param details what else was measured, by name, as JSON has it: {@code confusion} of a
 *     classification has for each class of the labels how many were taken for each class
 * @param remarks what is worth saying of the figures, a line each
 * @param tables what people are shown below the figures
 * @param mistakes the largest loss first; empty unless they were asked for
 * @param truncated how many texts were cut at the maximum length
 * @param maxLength tokens of a text, special ones included
 */
public record Evaluation(
    Task task,
    int examples,
    Map<String, Double> metrics,
    String scoreName,
    List<ClassMetrics> classes,
    Map<String, Object> details,
    List<String> remarks,
    List<Table> tables,
    List<Mistake> mistakes,
    int truncated,
    int maxLength) {

  public Evaluation {
    metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
    classes = List.copyOf(classes);
    details = Collections.unmodifiableMap(new LinkedHashMap<>(details));
    remarks = List.copyOf(remarks);
    tables = List.copyOf(tables);
    mistakes = List.copyOf(mistakes);
  }

  /**
   * Figures side by side.
   *
   * @param heading names the columns
   * @param rows as many cells each: text, a count (Long), or a figure (Double; NaN where it is not
   *     defined)
   */
  public record Table(List<String> heading, List<List<Object>> rows) {
    public Table {
      heading = List.copyOf(heading);
      rows = rows.stream().map(List::copyOf).toList();
    }
  }

  /**
   * @param names of the logits
   */
  static Evaluation of(
      Task task,
      Report report,
      List<String> names,
      List<Mistake> mistakes,
      int truncated,
      int maxLength) {
    List<ClassMetrics> classes = new ArrayList<>();
    for (ClassFigures figures : report.classes()) {
      classes.add(
          new ClassMetrics(
              names.get(classes.size()),
              figures.precision(),
              figures.recall(),
              figures.f1(),
              figures.support()));
    }
    Map<String, Object> details = new LinkedHashMap<>(report.details(names));
    details.replaceAll((name, value) -> value instanceof long[][] counts ? lists(counts) : value);
    return new Evaluation(
        task,
        report.examples(),
        report.figures(),
        report.scoreName(),
        classes,
        details,
        report.remarks(names),
        report.tables(names).stream().map(t -> new Table(t.heading(), t.rows())).toList(),
        mistakes,
        truncated,
        maxLength);
  }

  private static List<List<Long>> lists(long[][] counts) {
    return Arrays.stream(counts).map(row -> Arrays.stream(row).boxed().toList()).toList();
  }

  /** The mean loss, without label smoothing or class weights; NaN where there is none. */
  public double loss() {
    return metrics.getOrDefault("loss", Double.NaN);
  }

  /** The one figure to judge by; more is better. NaN where it is not defined. */
  public double score() {
    return Objects.requireNonNull(metrics.get(scoreName));
  }
}
