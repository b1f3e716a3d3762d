package io.github.loragraph.task;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * From which probability on each class of a multi-label model is answered. Fitted to labelled
 * examples that were not trained on, they bring out classes that are rare, whose probabilities stay
 * below a half.
 *
 * @param values one for each class, in the order of the logits: above 0, at most 1
 */
public record Thresholds(List<Double> values) {
  /** What decides where nothing was fitted. */
  private static final double HALF = 0.5;

  /** One in ten thousand: what is finer tells nothing, and reads badly. */
  private static final double DECIMALS = 1e4;

  public Thresholds {
    values = List.copyOf(values);
  }

  /** A half for each class. */
  public static Thresholds half(int classes) {
    Double[] halves = new Double[classes];
    Arrays.fill(halves, HALF);
    return new Thresholds(List.of(halves));
  }

  /**
   * Those by which the F1 of each class is largest; of several the nearest to a half, between the
   * probabilities that they divide. A class that no example has stays at a half.
   *
   * @param logits one row for each example
   * @param targets 1 or 0 for each class of each example
   */
  public static Thresholds fit(float[][] logits, float[][] targets) {
    List<Double> values = new ArrayList<>();
    int classes = logits.length == 0 ? 0 : logits[0].length;
    for (int c = 0; c < classes; c++) {
      values.add(fit(logits, targets, c));
    }
    return new Thresholds(values);
  }

  private static double fit(float[][] logits, float[][] targets, int c) {
    record Answer(double probability, boolean right) {}
    List<Answer> answers = new ArrayList<>();
    for (int i = 0; i < logits.length; i++) {
      answers.add(new Answer(Probabilities.sigmoid(logits[i][c]), targets[i][c] >= HALF));
    }
    if (answers.stream().anyMatch(answer -> Double.isNaN(answer.probability()))) {
      return HALF;
    }
    answers.sort(Comparator.comparingDouble(Answer::probability).reversed());
    long support = answers.stream().filter(Answer::right).count();
    double best = HALF;
    double bestF1 = 0;
    long right = 0;
    for (int n = 1; n <= answers.size() && support > 0; n++) {
      right += answers.get(n - 1).right() ? 1 : 0;
      double lowest = answers.get(n - 1).probability();
      double next = n == answers.size() ? 0 : answers.get(n).probability();
      if (next == lowest) {
        continue;
      }
      // The first n are answered: 2 right / (answered + support).
      double f1 = 2.0 * right / (n + support);
      double threshold = between(next, lowest);
      boolean nearer = Math.abs(threshold - HALF) < Math.abs(best - HALF);
      if (f1 > bestF1 || f1 == bestF1 && nearer) {
        bestF1 = f1;
        best = threshold;
      }
    }
    return best;
  }

  /** A threshold above one probability, and not above another. */
  private static double between(double below, double above) {
    if (below < HALF && HALF <= above) {
      return HALF;
    }
    double middle = below + (above - below) / 2;
    double rounded = Math.round(middle * DECIMALS) / DECIMALS;
    if (below < rounded && rounded <= above) {
      return rounded;
    }
    return below < middle ? middle : above;
  }

  /** Whether a class is answered. */
  boolean reaches(int c, float logit) {
    return Probabilities.sigmoid(logit) >= values.get(c);
  }

  /**
   * Those that are nearer to 0 or to 1 than is told apart, by the names of the classes: they lie
   * between probabilities that are so, too.
   *
   * @param names of the logits, as many
   */
  public Map<String, Double> extreme(List<String> names) {
    Map<String, Double> extreme = named(names);
    extreme.values().removeIf(value -> value >= 1 / DECIMALS && value <= 1 - 1 / DECIMALS);
    return extreme;
  }

  /**
   * The thresholds by the names of the classes.
   *
   * @param names of the logits, as many
   */
  public Map<String, Double> named(List<String> names) {
    Map<String, Double> named = new LinkedHashMap<>();
    for (int c = 0; c < values.size(); c++) {
      named.put(names.get(c), values.get(c));
    }
    return named;
  }
}
