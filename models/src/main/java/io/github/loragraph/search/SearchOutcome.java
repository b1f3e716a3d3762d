package io.github.loragraph.search;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a search brought.
 *
 * @param trials all that were begun, by their numbers
 * @param winner the best that was trained whole; empty where all failed
 * @param repeats the winner trained again, with other seeds
 * @param importance the share of the spread of the figures that goes with each parameter
 * @param best the winner's settings, for a training; empty where there is none
 * @param complete whether all was done; false where it was stopped before
 */
public record SearchOutcome(
    List<TrialRow> trials,
    Optional<TrialRow> winner,
    List<Repeat> repeats,
    Map<String, Double> importance,
    Optional<Path> best,
    boolean complete) {
  /**
   * The winner with another seed.
   *
   * @param objective NaN where the training failed
   * @param figures all of the last evaluation
   * @param folder the run folder, in that of the search
   * @param failure why it failed; else empty
   */
  public record Repeat(
      long seed,
      double objective,
      Map<String, Double> figures,
      long step,
      double seconds,
      String folder,
      String failure) {}

  public SearchOutcome {
    trials = List.copyOf(trials);
    repeats = List.copyOf(repeats);
  }

  /** The objective of the repeats that did not fail. */
  private double[] objectives() {
    return repeats.stream()
        .mapToDouble(Repeat::objective)
        .filter(figure -> !Double.isNaN(figure))
        .toArray();
  }

  /** The mean of the objective over the repeats; NaN where there are none. */
  public double mean() {
    double[] figures = objectives();
    double sum = 0;
    for (double figure : figures) {
      sum += figure;
    }
    return sum / figures.length;
  }

  /** The standard deviation of it, of a sample; NaN where there are not two. */
  public double deviation() {
    double[] figures = objectives();
    double mean = mean();
    double sum = 0;
    for (double figure : figures) {
      sum += (figure - mean) * (figure - mean);
    }
    return figures.length < 2 ? Double.NaN : Math.sqrt(sum / (figures.length - 1));
  }

  /** The steps of all trials. */
  public long steps() {
    return trials.stream().mapToLong(TrialRow::step).sum();
  }

  /** The seconds of work of all trials. */
  public double seconds() {
    return trials.stream().mapToDouble(TrialRow::seconds).sum();
  }

  /** The steps of all trials, were each trained whole; what failed counts as far as it came. */
  public long stepsOfAll() {
    return trials.stream().mapToLong(trial -> Math.max(trial.step(), trial.totalSteps())).sum();
  }

  /** About the seconds of work that these would take, at the pace of those that were. */
  public double secondsOfAll() {
    long steps = 0;
    double seconds = 0;
    for (TrialRow trial : trials) {
      if (trial.status() == TrialRow.Status.COMPLETE) {
        steps += trial.step();
        seconds += trial.seconds();
      }
    }
    return steps == 0 ? Double.NaN : stepsOfAll() * seconds / steps;
  }
}
