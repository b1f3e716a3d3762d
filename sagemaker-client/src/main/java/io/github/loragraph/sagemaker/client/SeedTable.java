package io.github.loragraph.sagemaker.client;

import io.github.loragraph.ExperimentSummary.Spread;
import io.github.loragraph.sagemaker.PlatformNames;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IntSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Jobs that differ by their seed alone, taken together as an experiment takes the seeds of a run.
 *
 * @param configurations the completed jobs of each
 * @param repeated jobs that count in no figure, since one before has the same seed
 */
record SeedTable(List<List<JobDescription>> configurations, List<JobDescription> repeated) {
  private static final String SEED = "seed";

  SeedTable {
    configurations = configurations.stream().map(List::copyOf).toList();
    repeated = List.copyOf(repeated);
  }

  /** What makes jobs one configuration. */
  private record Inputs(Map<String, String> hyperparameters, Map<String, String> channels) {
    static Inputs of(JobDescription job) {
      Map<String, String> hyperparameters = new TreeMap<>(job.hyperparameters());
      hyperparameters
          .keySet()
          .removeIf(name -> name.equals(SEED) || PlatformNames.isOfPlatform(name));
      return new Inputs(hyperparameters, job.channels());
    }
  }

  /** Empty where no configuration has several seeds that are completed. */
  static Optional<SeedTable> of(List<JobDescription> jobs) {
    Map<Inputs, Map<String, JobDescription>> configurations = new LinkedHashMap<>();
    List<JobDescription> repeated = new ArrayList<>();
    for (JobDescription job : new LinkedHashSet<>(jobs)) {
      if (job.status() == JobStatus.COMPLETED && !job.isTuning()) {
        // A container takes 0 where none is given.
        String seed = job.hyperparameters().getOrDefault(SEED, "0");
        if (configurations
                .computeIfAbsent(Inputs.of(job), inputs -> new LinkedHashMap<>())
                .putIfAbsent(seed, job)
            != null) {
          repeated.add(job);
        }
      }
    }
    return configurations.values().stream().anyMatch(seeds -> seeds.size() > 1)
        ? Optional.of(
            new SeedTable(
                configurations.values().stream().map(seeds -> List.copyOf(seeds.values())).toList(),
                repeated))
        : Optional.empty();
  }

  private JobTable all() {
    return new JobTable(configurations.stream().flatMap(List::stream).toList());
  }

  /** The name of the run, where the names of its jobs tell it. */
  private static String name(List<JobDescription> jobs) {
    Set<String> names = new LinkedHashSet<>();
    jobs.forEach(job -> names.add(JobNames.run(job.name())));
    return names.size() == 1 ? names.iterator().next() : jobs.get(0).name();
  }

  private static Optional<Spread> spread(List<JobDescription> jobs, String metric) {
    List<Double> values =
        jobs.stream().map(job -> job.metrics().get(metric)).filter(Objects::nonNull).toList();
    return values.isEmpty() ? Optional.empty() : Optional.of(Spread.of(values));
  }

  void printTo(PrintWriter out) {
    List<String> hyperparameters =
        all().differing().stream().filter(name -> !name.equals(SEED)).toList();
    List<String> metrics = all().metrics();
    List<String> heading = new ArrayList<>(List.of("run"));
    heading.addAll(hyperparameters);
    Set<Integer> numbers = new HashSet<>();
    for (String metric : metrics) {
      numbers.add(heading.size());
      heading.add(metric);
    }
    numbers.add(heading.size());
    heading.add("seeds");
    List<String[]> rows = new ArrayList<>();
    rows.add(heading.toArray(String[]::new));
    for (List<JobDescription> jobs : configurations) {
      List<String> row = new ArrayList<>(List.of(name(jobs)));
      hyperparameters.forEach(name -> row.add(JobTable.value(jobs.get(0), name)));
      metrics.forEach(name -> row.add(spread(jobs, name).map(Spread::text).orElse("")));
      row.add(Integer.toString(jobs.size()));
      rows.add(row.toArray(String[]::new));
    }
    JobTable.table(rows, numbers).printTo(out);
    IntSummaryStatistics seeds = configurations.stream().mapToInt(List::size).summaryStatistics();
    out.println(
        "mean and standard deviation over "
            + (seeds.getMin() == seeds.getMax()
                ? seeds.getMax() + " seeds"
                : "the seeds that are completed"));
    repeated.forEach(job -> out.println(job.name() + " has the seed of another one: left out"));
  }

  /** The same for programs, as an experiment has it. */
  List<Map<String, Object>> json() {
    List<Map<String, Object>> summaries = new ArrayList<>();
    for (List<JobDescription> jobs : configurations) {
      Map<String, Object> metrics = new LinkedHashMap<>();
      for (String name : all().metrics()) {
        spread(jobs, name)
            .ifPresent(
                spread -> {
                  Map<String, Object> figures = new LinkedHashMap<>();
                  figures.put("mean", JobTable.orNull(spread.mean()));
                  figures.put("deviation", JobTable.orNull(spread.deviation()));
                  figures.put("seeds", spread.seeds());
                  metrics.put(name, figures);
                });
      }
      Map<String, Object> summary = new LinkedHashMap<>();
      summary.put("run", name(jobs));
      summary.put("jobs", jobs.stream().map(JobDescription::name).toList());
      summary.put("hyperparameters", Inputs.of(jobs.get(0)).hyperparameters());
      summary.put("metrics", metrics);
      summaries.add(summary);
    }
    return summaries;
  }
}
