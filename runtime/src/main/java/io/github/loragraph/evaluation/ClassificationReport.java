package io.github.loragraph.evaluation;

import java.util.ArrayList;
import java.util.List;

/**
 * How well a classifier does on labelled examples.
 *
 * @param examples the number of examples
 * @param loss mean cross-entropy
 * @param accuracy the share of examples whose largest logit is at their label
 * @param classes one entry for each class, in the order of the logits
 * @param confusion {@code confusion[actual][predicted]} counts examples
 */
public record ClassificationReport(
    int examples, double loss, double accuracy, List<OfClass> classes, long[][] confusion) {

  /**
   * The figures of one class; a figure is 0 where it would be 0/0.
   *
   * @param support examples that are of this class
   */
  public record OfClass(double precision, double recall, double f1, long support) {}

  /**
   * Counts.
   *
   * @param logits one row for each example
   * @param labels the class of each example
   */
  public static ClassificationReport of(float[][] logits, long[] labels) {
    int classes = logits[0].length;
    long[][] confusion = new long[classes][classes];
    double loss = 0;
    long right = 0;
    for (int i = 0; i < labels.length; i++) {
      int actual = Math.toIntExact(labels[i]);
      int predicted = Probabilities.argMax(logits[i]);
      confusion[actual][predicted]++;
      right += actual == predicted ? 1 : 0;
      loss += Probabilities.logSumExp(logits[i]) - logits[i][actual];
    }
    List<OfClass> figures = new ArrayList<>();
    for (int c = 0; c < classes; c++) {
      long support = 0;
      long claimed = 0;
      for (int other = 0; other < classes; other++) {
        support += confusion[c][other];
        claimed += confusion[other][c];
      }
      double precision = ratio(confusion[c][c], claimed);
      double recall = ratio(confusion[c][c], support);
      double sum = precision + recall;
      figures.add(
          new OfClass(precision, recall, sum == 0 ? 0 : 2 * precision * recall / sum, support));
    }
    return new ClassificationReport(
        labels.length, loss / labels.length, ratio(right, labels.length), figures, confusion);
  }

  private static double ratio(long part, long whole) {
    return whole == 0 ? 0 : (double) part / whole;
  }

  /** The unweighted mean of the classes' F1. */
  public double macroF1() {
    return classes.stream().mapToDouble(OfClass::f1).average().orElse(0);
  }
}
