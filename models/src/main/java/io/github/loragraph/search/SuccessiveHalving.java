package io.github.loragraph.search;

import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Which trials go on: asynchronous successive halving, of Li, Jamieson, Rostamizadeh, Gonina,
 * Hardt, Recht and Talwalkar, "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020
 * (arXiv:1810.05934, algorithm 2). A trial is measured at rungs, each the reduction factor times as
 * far as the one before; of those that were measured at a rung the best go on, one in as many as
 * the reduction factor says.
 *
 * @param fractions the rungs, as parts of a whole training; the last is 1
 */
public record SuccessiveHalving(int reductionFactor, List<Double> fractions) {
  public SuccessiveHalving {
    fractions = List.copyOf(fractions);
  }

  /** Every trial is trained whole. */
  public static SuccessiveHalving none() {
    return new SuccessiveHalving(2, List.of(1.0));
  }

  /**
   * @param reductionFactor 2 or more
   * @param minimum the part of a whole training after which a trial is measured first
   * @throws LoraGraphException if one of them is not possible
   */
  public static SuccessiveHalving of(int reductionFactor, double minimum) {
    if (reductionFactor < 2) {
      throw new LoraGraphException(
          "a reduction factor is 2 or more, and this is " + reductionFactor);
    }
    if (!(minimum > 0 && minimum <= 1)) {
      throw new LoraGraphException(
          "the first rung is a part of a training, above 0 and up to 1, and this is " + minimum);
    }
    List<Double> fractions = new ArrayList<>();
    for (double fraction = minimum; fraction < 1 - 1e-6; fraction *= reductionFactor) {
      fractions.add(fraction);
    }
    fractions.add(1.0);
    return new SuccessiveHalving(reductionFactor, fractions);
  }

  /** The number of the last rung, which is a whole training. */
  public int top() {
    return fractions.size() - 1;
  }

  /** What a trial costs from the rung before to this one, in whole trainings. */
  double cost(int rung) {
    return fractions.get(rung) - (rung == 0 ? 0 : fractions.get(rung - 1));
  }

  /**
   * The step of a training at which a rung is.
   *
   * @param steps those of the whole training
   */
  public long step(int rung, long steps) {
    double exact = fractions.get(rung) * steps;
    // A third of 300 steps is 100 of them, whatever the rounding of a third does.
    long step =
        Math.abs(exact - Math.rint(exact)) < 1e-6 * steps
            ? Math.round(exact)
            : (long) Math.ceil(exact);
    return Math.min(steps, Math.max(1, step));
  }

  /** A trial's figures: a score for each rung that it has been measured at. */
  record Progress(int trial, List<Double> scores, boolean isRunning) {
    int rung() {
      return scores.size() - 1;
    }

    boolean hasFailed() {
      return !scores.isEmpty() && Double.isNaN(scores.get(rung()));
    }

    /** The figure of a rung: of one that failed on the way there the worst of all. */
    double score(int rung) {
      return Double.isNaN(scores.get(rung)) ? Double.POSITIVE_INFINITY : scores.get(rung);
    }
  }

  /**
   * The trial to go on with now, the one that is furthest first; empty where none has earned it.
   */
  Optional<Progress> promoted(List<Progress> trials) {
    for (int rung = top() - 1; rung >= 0; rung--) {
      List<Progress> there = atOrPast(trials, rung);
      Optional<Progress> next =
          there.subList(0, there.size() / reductionFactor).stream()
              .filter(mayGoOn(rung))
              .findFirst();
      if (next.isPresent()) {
        return next;
      }
    }
    return Optional.empty();
  }

  /**
   * The best of those that came furthest: where there were too few trials for one of them to earn
   * the next rung, it goes on all the same, so that something is trained whole.
   */
  Optional<Progress> furthest(List<Progress> trials) {
    for (int rung = top() - 1; rung >= 0; rung--) {
      Optional<Progress> next = atOrPast(trials, rung).stream().filter(mayGoOn(rung)).findFirst();
      if (next.isPresent()) {
        return next;
      }
    }
    return Optional.empty();
  }

  private static List<Progress> atOrPast(List<Progress> trials, int rung) {
    return trials.stream()
        .filter(trial -> trial.rung() >= rung)
        .sorted(
            Comparator.comparingDouble((Progress trial) -> trial.score(rung))
                .thenComparingInt(Progress::trial))
        .toList();
  }

  private static Predicate<Progress> mayGoOn(int rung) {
    return trial -> trial.rung() == rung && !trial.isRunning() && !trial.hasFailed();
  }
}
