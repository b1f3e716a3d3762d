package io.github.loragraph.task;

import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * How well a regression does.
 *
 * @param examples the number of examples
 * @param loss mean squared error
 * @param meanAbsoluteError in the labels' own unit
 * @param pearson correlation of answers and labels; not defined, NaN, where one of them does not
 *     vary
 * @param spearman Pearson's correlation of their ranks, ties given their mean rank
 */
public record RegressionReport(
    int examples, double loss, double meanAbsoluteError, double pearson, double spearman)
    implements Report {

  /**
   * Measures.
   *
   * @param answers one number for each example
   * @param labels as many numbers
   */
  public static RegressionReport of(double[] answers, double[] labels) {
    double squares = 0;
    double absolute = 0;
    for (int i = 0; i < labels.length; i++) {
      double error = answers[i] - labels[i];
      squares += error * error;
      absolute += Math.abs(error);
    }
    return new RegressionReport(
        labels.length,
        squares / labels.length,
        absolute / labels.length,
        correlation(answers, labels),
        correlation(ranks(answers), ranks(labels)));
  }

  private static double correlation(double[] x, double[] y) {
    double meanX = Arrays.stream(x).average().orElse(0);
    double meanY = Arrays.stream(y).average().orElse(0);
    double xy = 0;
    double xx = 0;
    double yy = 0;
    for (int i = 0; i < x.length; i++) {
      xy += (x[i] - meanX) * (y[i] - meanY);
      xx += (x[i] - meanX) * (x[i] - meanX);
      yy += (y[i] - meanY) * (y[i] - meanY);
    }
    return varies(x) && varies(y) ? xy / (Math.sqrt(xx) * Math.sqrt(yy)) : Double.NaN;
  }

  /** Sums of squares do not tell: the mean of equal numbers may be off in its last digit. */
  private static boolean varies(double[] values) {
    return Arrays.stream(values).anyMatch(value -> value != values[0]);
  }

  private static double[] ranks(double[] values) {
    int[] order =
        IntStream.range(0, values.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> values[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    double[] ranks = new double[values.length];
    for (int start = 0; start < order.length; ) {
      int end = start + 1;
      while (end < order.length && values[order[end]] == values[order[start]]) {
        end++;
      }
      for (int i = start; i < end; i++) {
        ranks[order[i]] = (start + end - 1) / 2.0;
      }
      start = end;
    }
    return ranks;
  }

  @Override
  public String scoreName() {
    return "pearson";
  }

  @Override
  public Map<String, Double> figures() {
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("loss", loss);
    figures.put("pearson", pearson);
    figures.put("spearman", spearman);
    figures.put("meanAbsoluteError", meanAbsoluteError);
    return figures;
  }
}
