package io.github.loragraph.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ThresholdsTest {
  /** No threshold at all gives a class a better F1, whatever the answers; equal ones among them. */
  @Test
  void noOtherThresholdIsBetter() {
    Random random = new Random(3);
    for (int trial = 0; trial < 200; trial++) {
      int examples = 1 + random.nextInt(12);
      int classes = 1 + random.nextInt(3);
      float[][] logits = new float[examples][classes];
      float[][] targets = new float[examples][classes];
      for (int i = 0; i < examples; i++) {
        for (int c = 0; c < classes; c++) {
          logits[i][c] = Math.round(random.nextGaussian() * 4) / 2f;
          targets[i][c] = random.nextInt(3) == 0 ? 1 : 0;
        }
      }
      Thresholds fitted = Thresholds.fit(logits, targets);
      MultilabelReport report = MultilabelReport.of(logits, targets, fitted);
      for (int c = 0; c < classes; c++) {
        double best = 0;
        for (int i = 0; i < examples; i++) {
          best = Math.max(best, f1(logits, targets, c, logits[i][c]));
        }
        double f1 = report.classes().get(c).f1();
        assertEquals(best, Double.isNaN(f1) ? 0 : f1, 1e-12, "trial " + trial);
        assertTrue(fitted.values().get(c) > 0 && fitted.values().get(c) <= 1);
      }
    }
  }

  private static double f1(float[][] logits, float[][] targets, int c, float least) {
    double right = 0;
    double both = 0;
    for (int i = 0; i < logits.length; i++) {
      boolean answered = logits[i][c] >= least;
      right += answered && targets[i][c] == 1 ? 1 : 0;
      both += (answered ? 1 : 0) + targets[i][c];
    }
    return both == 0 ? 0 : 2 * right / both;
  }

  @Test
  void whereAHalfIsAsGoodItStays() {
    float[][] logits = {{2, -3, 1}, {-2, -1, 1}};
    float[][] targets = {{1, 1, 0}, {0, 0, 0}};
    // Of the second class the right answer is the less likely: both are answered, from below
    // 0.0474.
    assertEquals(List.of(0.5, 0.0237, 0.5), Thresholds.fit(logits, targets).values());
  }

  /** Probabilities that differ in their last digits, and ones that round to one, are divided. */
  @Test
  void answersAlmostAlikeAreDivided() {
    float[][] logits = {{20}, {20.000002f}, {Float.MAX_VALUE}};
    float[][] targets = {{0}, {1}, {1}};
    Thresholds fitted = Thresholds.fit(logits, targets);
    assertEquals(1, MultilabelReport.of(logits, targets, fitted).accuracy());
  }
}
