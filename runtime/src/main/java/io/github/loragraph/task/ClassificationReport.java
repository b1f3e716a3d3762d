package io.github.loragraph.task;

import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How well a classifier does on labelled examples, or on labelled tokens.
 *
 * @param examples the number of examples or tokens that count
 * @param loss mean cross-entropy
 * @param accuracy the share of examples whose largest logit is at their label
 * @param classes one entry for each class, in the order of the logits
 * @param confusion {@code confusion[actual][predicted]} counts examples
 */
public record ClassificationReport(
    int examples, double loss, double accuracy, List<ClassFigures> classes, long[][] confusion)
    implements Report {

  /**
   * Counts.
   *
   * @param logits one row for each example
   * @param labels the class of each example; negative ones are passed over
   * @throws LoraGraphException if all are
   */
  public static ClassificationReport of(float[][] logits, long[] labels) {
    int classes = logits[0].length;
    long[][] confusion = new long[classes][classes];
    double loss = 0;
    long right = 0;
    int counted = 0;
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] < 0) {
        continue;
      }
      int actual = Math.toIntExact(labels[i]);
      int predicted = Probabilities.argMax(logits[i]);
      confusion[actual][predicted]++;
      right += actual == predicted ? 1 : 0;
      loss += Probabilities.logSumExp(logits[i]) - logits[i][actual];
      counted++;
    }
    if (counted == 0) {
      throw new LoraGraphException(
          "no example has a label that counts (all are -100): there is nothing to measure");
    }
    List<ClassFigures> figures = new ArrayList<>();
    for (int c = 0; c < classes; c++) {
      long support = 0;
      long claimed = 0;
      for (int other = 0; other < classes; other++) {
        support += confusion[c][other];
        claimed += confusion[other][c];
      }
      figures.add(ClassFigures.of(confusion[c][c], claimed, support));
    }
    return new ClassificationReport(
        counted, loss / counted, ClassFigures.ratio(right, counted), figures, confusion);
  }

  /** The unweighted mean F1 of the classes that occur among labels or answers. */
  public double macroF1() {
    return ClassFigures.macroF1(classes);
  }

  /** The mean F1 of the classes, each counted as often as it is a label. */
  public double weightedF1() {
    return ClassFigures.weightedF1(classes);
  }

  /**
   * Matthews' correlation of labels and answers, for any number of classes as Gorodkin (2004) and
   * scikit-learn have it. NaN where all labels or all answers are of one class (scikit-learn says 0
   * there).
   */
  public double matthews() {
    double right = 0;
    double all = 0;
    double products = 0;
    double squaresOfClaims = 0;
    double squaresOfLabels = 0;
    for (int c = 0; c < confusion.length; c++) {
      double support = 0;
      double claimed = 0;
      for (int other = 0; other < confusion.length; other++) {
        support += confusion[c][other];
        claimed += confusion[other][c];
      }
      right += confusion[c][c];
      all += support;
      products += support * claimed;
      squaresOfLabels += support * support;
      squaresOfClaims += claimed * claimed;
    }
    double scale = (all * all - squaresOfClaims) * (all * all - squaresOfLabels);
    return scale == 0 ? Double.NaN : (right * all - products) / Math.sqrt(scale);
  }

  @Override
  public String scoreName() {
    return "accuracy";
  }

  @Override
  public Map<String, Double> figures() {
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("loss", loss);
    figures.put("accuracy", accuracy);
    figures.put("macroF1", macroF1());
    figures.put("weightedF1", weightedF1());
    figures.put("matthews", matthews());
    return figures;
  }

  @Override
  public Map<String, Object> details(List<String> names) {
    Map<String, Object> details = ClassFigures.details(classes, names);
    details.put("confusion", confusion);
    return details;
  }

  @Override
  public List<String> remarks(List<String> names) {
    return ClassFigures.remarks(classes, names);
  }

  @Override
  public List<Table> tables(List<String> names) {
    return List.of(ClassFigures.table(classes, names), confusionTable(names));
  }

  private Table confusionTable(List<String> names) {
    List<String> heading = new ArrayList<>(List.of("actual \\ predicted"));
    heading.addAll(names);
    List<List<Object>> rows = new ArrayList<>();
    for (int actual = 0; actual < names.size(); actual++) {
      List<Object> row = new ArrayList<>(List.of(names.get(actual)));
      for (long count : confusion[actual]) {
        row.add(count);
      }
      rows.add(row);
    }
    return new Table(heading, rows);
  }
}
