package io.github.loragraph.search;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A density over the trials of a space: one kernel around each trial that was seen, over all its
 * parameters together, and one that is the space's own distribution. A parameter that a trial did
 * not have is distributed in its kernel as in the space.
 */
final class ParzenMixture {
  /** The kernel's share of a range for one trial in few dimensions, and the least: Optuna's. */
  private static final double BANDWIDTH = 0.2;

  private static final int TRIES = 100;

  private final SearchSpace space;
  private final List<Map<String, Object>> seen;
  private final double bandwidth;

  ParzenMixture(SearchSpace space, List<Map<String, Object>> seen) {
    this.space = space;
    this.seen = seen;
    int kernels = Math.max(1, seen.size());
    // Scott's rule, D. W. Scott, "Multivariate Density Estimation", 1992.
    double narrowing = StrictMath.pow(kernels, -1.0 / (space.parameters().size() + 4));
    this.bandwidth = Math.max(BANDWIDTH * narrowing, 1 / Math.min(100.0, seen.size() + 2.0));
  }

  Map<String, Object> draw(Random random) {
    int kernel = random.nextInt(seen.size() + 1);
    Map<String, Object> centre = kernel == seen.size() ? Map.of() : seen.get(kernel);
    Map<String, Object> values = new LinkedHashMap<>();
    for (Parameter parameter : space.parameters()) {
      if (parameter.existsBeside(values)) {
        Object middle = centre.get(parameter.name());
        values.put(
            parameter.name(),
            middle == null
                ? parameter.domain().draw(random)
                : near(parameter.domain(), middle, random));
      }
    }
    return values;
  }

  private Object near(Domain domain, Object middle, Random random) {
    if (domain instanceof Choice choice) {
      // The observed value, or by the prior any: a kernel's share of that falls with their number.
      return random.nextDouble() < certainty(choice) ? middle : choice.draw(random);
    }
    NumberDomain numbers = (NumberDomain) domain;
    double mean = numbers.position(middle);
    for (int i = 0; i < TRIES; i++) {
      double at = mean + bandwidth * random.nextGaussian();
      if (at >= 0 && at <= 1) {
        return numbers.value(at);
      }
    }
    return middle;
  }

  /** The weight of what was seen against the prior's, which is 1 for all kernels together. */
  private double certainty(Choice choice) {
    return 1 / (1 + (double) choice.values().size() / (seen.size() + 1));
  }

  /** The logarithm of the density, up to what all mixtures over the space have in common. */
  double logDensity(Map<String, Object> values) {
    double[] logs = new double[seen.size() + 1];
    for (int kernel = 0; kernel < seen.size(); kernel++) {
      double sum = 0;
      for (Parameter parameter : space.parameters()) {
        Object value = values.get(parameter.name());
        Object middle = seen.get(kernel).get(parameter.name());
        if (value != null && middle != null) {
          sum += logRatio(parameter.domain(), middle, value);
        }
      }
      logs[kernel] = sum;
    }
    double largest = 0;
    for (double log : logs) {
      largest = Math.max(largest, log);
    }
    double sum = 0;
    for (double log : logs) {
      sum += StrictMath.exp(log - largest);
    }
    return largest + StrictMath.log(sum / logs.length);
  }

  /** A kernel's density against that of the space. */
  private double logRatio(Domain domain, Object middle, Object value) {
    if (domain instanceof Choice choice) {
      double certainty = certainty(choice);
      double others = 1 - certainty;
      return StrictMath.log(
          value.equals(middle) ? others + certainty * choice.values().size() : others);
    }
    NumberDomain numbers = (NumberDomain) domain;
    if (numbers.size() == 1) {
      return 0;
    }
    double mean = numbers.position(middle);
    double inside = normal((1 - mean) / bandwidth) - normal(-mean / bandwidth);
    double at = numbers.position(value);
    double width = numbers.width(value);
    double distance = (at - mean) / bandwidth;
    if (width < bandwidth / 10) {
      return -distance * distance / 2
          - StrictMath.log(bandwidth * StrictMath.sqrt(2 * Math.PI) * inside);
    }
    double share =
        normal((at + width / 2 - mean) / bandwidth) - normal((at - width / 2 - mean) / bandwidth);
    return StrictMath.log(Math.max(share, 1e-7) / (inside * width));
  }

  /**
   * The normal distribution's function, to 1e-7: formula 26.2.17 of Abramowitz and Stegun,
   * "Handbook of Mathematical Functions", 1964.
   */
  static double normal(double x) {
    double t = 1 / (1 + 0.2316419 * Math.abs(x));
    double polynomial =
        t
            * (0.319381530
                + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
    double tail = StrictMath.exp(-x * x / 2) / StrictMath.sqrt(2 * Math.PI) * polynomial;
    return x > 0 ? 1 - tail : tail;
  }
}
