package io.github.loragraph.adapter;

import io.github.loragraph.linalg.Matrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Sums of matrices by weights, with what is small or drawn dropped before: PEFT's {@code
 * merge_utils}. TIES is of Yadav et al. 2023, DARE of Yu et al. 2023.
 */
final class TaskArithmetic {
  private TaskArithmetic() {}

  /** What is done before the sum. */
  record Method(boolean prunesSmall, boolean prunesRandom, boolean electsSign) {}

  /**
   * One matrix of several.
   *
   * @param density the share of entries that stay; 1 keeps all
   * @param byFrequency whether the sign of an entry is that of most matrices, not that of their sum
   * @param random what draws; read by DARE alone
   */
  static Matrix merged(
      Method method,
      List<Matrix> matrices,
      double[] weights,
      double density,
      boolean byFrequency,
      SplittableRandom random) {
    List<double[]> kept = new ArrayList<>();
    for (Matrix matrix : matrices) {
      double[] values = matrix.toArray();
      if (density < 1 && method.prunesSmall()) {
        keepLargest(values, density);
      } else if (density < 1 && method.prunesRandom()) {
        keepDrawn(values, density, random);
      }
      kept.add(values);
    }
    double[] sum = new double[kept.get(0).length];
    for (int i = 0; i < sum.length; i++) {
      sum[i] =
          method.electsSign()
              ? ofElectedSign(kept, weights, i, byFrequency)
              : sum(kept, weights, i);
    }
    return Matrix.of(matrices.get(0).rows(), matrices.get(0).columns(), sum);
  }

  /** Zero for all but the largest absolute values; of equal ones the first stay. */
  private static void keepLargest(double[] values, double density) {
    int stay = (int) (density * values.length);
    double[] sizes = Arrays.stream(values).map(Math::abs).sorted().toArray();
    double least = stay == 0 ? Double.POSITIVE_INFINITY : sizes[sizes.length - stay];
    int larger = 0;
    for (double value : values) {
      larger += Math.abs(value) > least ? 1 : 0;
    }
    int equal = stay - larger;
    for (int i = 0; i < values.length; i++) {
      double size = Math.abs(values[i]);
      boolean stays = size > least || size == least && equal-- > 0;
      if (!stays) {
        values[i] = 0;
      }
    }
  }

  /** Drops entries by chance and divides the others by the share that stays. */
  private static void keepDrawn(double[] values, double density, SplittableRandom random) {
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextDouble() < density ? values[i] / density : 0;
    }
  }

  private static double sum(List<double[]> matrices, double[] weights, int i) {
    double sum = 0;
    for (int m = 0; m < weights.length; m++) {
      sum += weights[m] * matrices.get(m)[i];
    }
    return sum;
  }

  /** The mean of the weighted entries that have the sign which was elected before the weighting. */
  private static double ofElectedSign(
      List<double[]> matrices, double[] weights, int i, boolean byFrequency) {
    double votes = 0;
    for (double[] matrix : matrices) {
      votes += byFrequency ? Math.signum(matrix[i]) : matrix[i];
    }
    double elected = votes >= 0 ? 1 : -1;
    double sum = 0;
    int count = 0;
    for (int m = 0; m < weights.length; m++) {
      double value = matrices.get(m)[i];
      if (Math.signum(value) == elected) {
        sum += weights[m] * value;
        count++;
      }
    }
    return count == 0 ? 0 : sum / count;
  }
}
