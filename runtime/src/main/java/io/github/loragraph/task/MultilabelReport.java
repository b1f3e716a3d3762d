package io.github.loragraph.task;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How well a model does that gives any number of classes to an example: those whose probability
 * reaches the threshold of the class, a half unless others were fitted.
 *
 * @param examples the number of examples
 * @param loss mean binary cross-entropy over examples and classes
 * @param accuracy the share of examples all of whose classes are right
 * @param microF1 F1 over all decisions; NaN where no class is a label or an answer of any example
 * @param classes one entry for each class, in the order of the logits
 */
public record MultilabelReport(
    int examples, double loss, double accuracy, double microF1, List<ClassFigures> classes)
    implements Report {

  /**
   * Counts.
   *
   * @param logits one row for each example
   * @param targets 1 or 0 for each class of each example
   */
  public static MultilabelReport of(float[][] logits, float[][] targets) {
    return of(logits, targets, Thresholds.half(logits[0].length));
  }

  /**
   * Counts, by other thresholds than a half.
   *
   * @param logits one row for each example
   * @param targets 1 or 0 for each class of each example
   */
  public static MultilabelReport of(float[][] logits, float[][] targets, Thresholds thresholds) {
    int classes = logits[0].length;
    long[] right = new long[classes];
    long[] claimed = new long[classes];
    long[] support = new long[classes];
    double loss = 0;
    long whole = 0;
    for (int i = 0; i < logits.length; i++) {
      boolean all = true;
      for (int c = 0; c < classes; c++) {
        double logit = logits[i][c];
        boolean predicted = thresholds.reaches(c, logits[i][c]);
        boolean actual = targets[i][c] >= 0.5;
        claimed[c] += predicted ? 1 : 0;
        support[c] += actual ? 1 : 0;
        right[c] += predicted && actual ? 1 : 0;
        all &= predicted == actual;
        loss += Probabilities.softplus(logit) - logit * targets[i][c];
      }
      whole += all ? 1 : 0;
    }
    List<ClassFigures> figures = new ArrayList<>();
    long allRight = 0;
    long allClaimed = 0;
    long allSupport = 0;
    for (int c = 0; c < classes; c++) {
      figures.add(ClassFigures.of(right[c], claimed[c], support[c]));
      allRight += right[c];
      allClaimed += claimed[c];
      allSupport += support[c];
    }
    return new MultilabelReport(
        logits.length,
        loss / ((double) logits.length * classes),
        ClassFigures.ratio(whole, logits.length),
        ClassFigures.of(allRight, allClaimed, allSupport).f1(),
        figures);
  }

  /** The unweighted mean F1 of the classes that occur among labels or answers. */
  public double macroF1() {
    return ClassFigures.macroF1(classes);
  }

  /** The mean F1 of the classes, each counted as often as it is a label. */
  public double weightedF1() {
    return ClassFigures.weightedF1(classes);
  }

  @Override
  public String scoreName() {
    return "microF1";
  }

  @Override
  public Map<String, Double> figures() {
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("loss", loss);
    figures.put("accuracy", accuracy);
    figures.put("microF1", microF1);
    figures.put("macroF1", macroF1());
    figures.put("weightedF1", weightedF1());
    return figures;
  }

  @Override
  public Map<String, Object> details(List<String> names) {
    return ClassFigures.details(classes, names);
  }

  @Override
  public List<String> remarks(List<String> names) {
    return ClassFigures.remarks(classes, names);
  }

  @Override
  public List<Table> tables(List<String> names) {
    return List.of(ClassFigures.table(classes, names));
  }
}
