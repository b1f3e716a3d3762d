package io.github.loragraph.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Figures by hand; where there is none, none is given. */
class ReportTest {
  private static final double NONE = Double.NaN;

  @Test
  void correlationsOfConstantsAreNotDefined() {
    double[] constant = {0.1, 0.1, 0.1};
    double[] varying = {0.3, 0.1, 0.2};
    for (double[][] pair : new double[][][] {{constant, varying}, {varying, constant}}) {
      RegressionReport report = RegressionReport.of(pair[0], pair[1]);
      assertEquals(NONE, report.pearson());
      assertEquals(NONE, report.spearman());
      assertNull(report.finiteFigures().get("pearson"));
      assertTrue(report.finiteFigures().containsKey("pearson"));
    }
    assertEquals(NONE, RegressionReport.of(new double[] {1}, new double[] {2}).pearson());
    assertEquals(1, RegressionReport.of(varying, new double[] {6, 2, 4}).pearson(), 1e-12);
    assertEquals(-1, RegressionReport.of(varying, new double[] {-6, 9, 4}).spearman(), 1e-12);
  }

  @Test
  void macroF1IsTheMeanOfTheClassesThatOccur() {
    // Labels 0 0 1, answers 0 1 1; class 2 is neither, class 3 an answer only in the second.
    ClassificationReport report = classified(new int[] {0, 1, 1}, 0, 0, 1);
    double f1 = 2.0 / 3;
    assertEquals(f1, report.classes().get(0).f1(), 1e-12);
    assertEquals(f1, report.classes().get(1).f1(), 1e-12);
    assertFalse(report.classes().get(2).occurs());
    assertEquals(NONE, report.classes().get(2).precision());
    assertEquals(NONE, report.classes().get(2).recall());
    assertEquals(f1, report.macroF1(), 1e-12);
    assertEquals(f1, report.weightedF1(), 1e-12);

    report = classified(new int[] {0, 1, 3}, 0, 0, 1);
    assertEquals(0, report.classes().get(3).precision());
    assertEquals(NONE, report.classes().get(3).recall());
    assertEquals(0, report.classes().get(3).f1());
    assertEquals((f1 + 0 + 0) / 3, report.macroF1(), 1e-12);
    assertEquals((2 * f1 + 0) / 3, report.weightedF1(), 1e-12);
  }

  /** By hand, and where scikit-learn has a number where there is none. */
  @Test
  void matthewsCorrelation() {
    assertEquals(0.5, classified(new int[] {0, 1, 1}, 0, 0, 1).matthews(), 1e-12);
    assertEquals(0, classified(new int[] {0, 1, 3}, 0, 0, 1).matthews(), 1e-12);
    assertEquals(1, classified(new int[] {0, 3, 1}, 0, 3, 1).matthews(), 1e-12);
    assertEquals(-1, classified(new int[] {1, 0}, 0, 1).matthews(), 1e-12);
    // Four right of seven: (4 * 7 - 16) / sqrt((49 - 17) * (49 - 17)).
    assertEquals(
        12.0 / 32,
        classified(new int[] {0, 0, 1, 1, 2, 2, 2}, 0, 1, 1, 0, 2, 2, 1).matthews(),
        1e-12);
    ClassificationReport constant = classified(new int[] {1, 1}, 0, 1);
    assertEquals(NONE, constant.matthews());
    assertEquals(NONE, classified(new int[] {0, 1}, 1, 1).matthews());
    assertNull(constant.finiteFigures().get("matthews"));
  }

  private static ClassificationReport classified(int[] answers, long... labels) {
    float[][] logits = new float[answers.length][4];
    for (int i = 0; i < answers.length; i++) {
      logits[i][answers[i]] = 1;
    }
    return ClassificationReport.of(logits, labels);
  }

  @Test
  void severalClassesOfWhichNoneIsGiven() {
    float[][] nothing = {{-1, -1}, {-1, -1}};
    MultilabelReport report = MultilabelReport.of(nothing, new float[2][2]);
    assertEquals(1, report.accuracy());
    assertEquals(NONE, report.microF1());
    assertEquals(NONE, report.macroF1());
    assertEquals(NONE, report.weightedF1());
    report = MultilabelReport.of(nothing, new float[][] {{1, 0}, {0, 0}});
    assertEquals(0, report.microF1());
    assertEquals(0, report.macroF1());
    assertEquals(NONE, report.classes().get(0).precision());
  }
}
