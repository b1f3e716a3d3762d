package io.github.loragraph.evaluation;

import java.util.List;

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

  /** NaN where the whole is nothing. */
  static double ratio(long part, long whole) {
    return whole == 0 ? Double.NaN : (double) part / whole;
  }
}
