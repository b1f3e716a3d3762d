package io.github.loragraph.bench;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * A row of a setting.
 *
 * @param turns one for each turn; fewer where one failed
 * @param problem why there are fewer; null where there are all
 */
record Result(Setting setting, Row row, List<Measured> turns, @Nullable String problem) {
  Result {
    turns = List.copyOf(turns);
  }

  /** NaN where nothing was measured. */
  double median(ToDoubleFunction<Measured> figure) {
    return median(turns.stream().mapToDouble(figure).toArray());
  }

  double least(ToDoubleFunction<Measured> figure) {
    return turns.stream().mapToDouble(figure).min().orElse(Double.NaN);
  }

  double most(ToDoubleFunction<Measured> figure) {
    return turns.stream().mapToDouble(figure).max().orElse(Double.NaN);
  }

  /** The median over the turns of a figure by that of another row in the same turn. */
  double ratio(Result to, ToDoubleFunction<Measured> figure) {
    int common = Math.min(turns.size(), to.turns.size());
    double[] ratios = new double[common];
    for (int i = 0; i < common; i++) {
      ratios[i] = figure.applyAsDouble(turns.get(i)) / figure.applyAsDouble(to.turns.get(i));
    }
    return median(ratios);
  }

  private static double median(double[] values) {
    if (values.length == 0) {
      return Double.NaN;
    }
    Arrays.sort(values);
    int middle = values.length / 2;
    return values.length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  }
}
