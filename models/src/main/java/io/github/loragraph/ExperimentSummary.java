package io.github.loragraph;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.TreeSet;

/**
 * One configuration of an {@link Experiment} over its seeds. What failed counts in no figure.
 *
 * @param name of the configuration
 * @param runs of all seeds
 * @param scoreName which of the figures tells how good it is
 * @param metrics the mean and spread of each figure by name
 * @param trainableParameters the numbers that training changes
 * @param samplesPerSecond the mean
 * @param peakMegabytes the most
 */
public record ExperimentSummary(
    String name,
    List<ExperimentRun> runs,
    Optional<String> scoreName,
    Map<String, Spread> metrics,
    OptionalLong trainableParameters,
    OptionalDouble samplesPerSecond,
    OptionalDouble peakMegabytes) {
  /**
   * A figure over several seeds.
   *
   * @param deviation the standard deviation of a sample (n - 1); NaN of one seed
   * @param seeds that it is of
   */
  public record Spread(double mean, double deviation, int seeds) {
    /** Of the figures of several seeds; NaN of none. */
    public static Spread of(List<Double> values) {
      double mean = values.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
      double squares = values.stream().mapToDouble(v -> (v - mean) * (v - mean)).sum();
      return new Spread(
          mean,
          values.size() < 2 ? Double.NaN : Math.sqrt(squares / (values.size() - 1)),
          values.size());
    }

    /** In words: {@code 0.9128 ± 0.0031}, of one seed {@code 0.9128}. */
    public String text() {
      String figure = String.format(Locale.ROOT, "%.4f", mean);
      return Double.isNaN(deviation)
          ? figure
          : figure + String.format(Locale.ROOT, " ± %.4f", deviation);
    }
  }

  public ExperimentSummary {
    runs = List.copyOf(runs);
    metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
  }

  /** The summary of runs of one configuration. */
  static ExperimentSummary of(String name, List<ExperimentRun> runs) {
    List<ExperimentRun> done =
        runs.stream().filter(run -> run.status() == ExperimentRun.Status.FINISHED).toList();
    Map<String, Spread> metrics = new LinkedHashMap<>();
    for (ExperimentRun run : done) {
      for (String metric : run.metrics().keySet()) {
        metrics.computeIfAbsent(
            metric,
            key ->
                Spread.of(
                    done.stream()
                        .map(ExperimentRun::metrics)
                        .filter(figures -> figures.containsKey(key))
                        .map(figures -> figures.get(key))
                        .toList()));
      }
    }
    return new ExperimentSummary(
        name,
        runs,
        done.stream().flatMap(run -> run.scoreName().stream()).findFirst(),
        metrics,
        done.stream()
            .map(ExperimentRun::trainableParameters)
            .filter(OptionalLong::isPresent)
            .findFirst()
            .orElse(OptionalLong.empty()),
        done.stream().flatMapToDouble(run -> run.samplesPerSecond().stream()).average(),
        done.stream().flatMapToDouble(run -> run.peakMegabytes().stream()).max());
  }

  /** The figure that tells how good the configuration is; empty where nothing was measured. */
  public Optional<Spread> score() {
    return scoreName.map(metrics::get);
  }

  /** Where its runs stand, each once: {@code finished} where all are done. */
  public String status() {
    TreeSet<ExperimentRun.Status> all = new TreeSet<>();
    runs.forEach(run -> all.add(run.status()));
    if (all.size() == 1) {
      return all.first().toString();
    }
    return String.join(
        ", ",
        all.stream()
            .map(
                status ->
                    runs.stream().filter(run -> run.status() == status).count() + " " + status)
            .toList());
  }
}
