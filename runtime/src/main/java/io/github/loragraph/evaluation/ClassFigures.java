package io.github.loragraph.evaluation;

/**
 * The figures of one class; a figure is 0 where it would be 0/0.
 *
 * @param precision the share of what was taken for this class that is of it
 * @param recall the share of what is of this class that was taken for it
 * @param f1 the harmonic mean of both
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
    double precision = ratio(right, claimed);
    double recall = ratio(right, support);
    double sum = precision + recall;
    return new ClassFigures(
        precision, recall, sum == 0 ? 0 : 2 * precision * recall / sum, support);
  }

  static double ratio(long part, long whole) {
    return whole == 0 ? 0 : (double) part / whole;
  }
}
