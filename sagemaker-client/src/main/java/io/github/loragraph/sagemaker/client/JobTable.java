package io.github.loragraph.sagemaker.client;

import io.github.loragraph.cli.TextTable;
import io.github.loragraph.sagemaker.MetricDefinition;
import io.github.loragraph.sagemaker.PlatformNames;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Jobs beside each other: what they differ by, and what they came to. */
record JobTable(List<JobDescription> jobs) {
  private static final String EMPTY = "-";
  private static final String METHOD = "method";

  /** What a training does where no method is given. */
  private static final String LORA = "lora";

  JobTable {
    jobs = List.copyOf(jobs);
  }

  /** The hyperparameters whose values are not the same for all; of one job alone there are none. */
  List<String> differing() {
    Set<String> names = new LinkedHashSet<>();
    jobs.forEach(job -> names.addAll(job.hyperparameters().keySet()));
    return names.stream()
        .filter(name -> !PlatformNames.isOfPlatform(name))
        .filter(
            name ->
                jobs.stream().map(job -> job.hyperparameters().get(name)).distinct().count() > 1)
        .toList();
  }

  /** Figures of held-out data; all where there are none of these. */
  List<String> metrics() {
    Set<String> all =
        jobs.stream()
            .flatMap(job -> job.metrics().keySet().stream())
            .collect(Collectors.toCollection(LinkedHashSet::new));
    List<String> heldOut =
        all.stream()
            .filter(
                name ->
                    name.startsWith(MetricDefinition.VALIDATION)
                        || name.equals(MetricDefinition.ARTICLE))
            .toList();
    return heldOut.isEmpty() ? List.copyOf(all) : heldOut;
  }

  /** A hyperparameter in words; empty where the job has none of the name. */
  static String value(JobDescription job, String name) {
    return job.hyperparameters().getOrDefault(name, name.equals(METHOD) ? LORA : "");
  }

  /** Rows whose empty cells are a mark, so that columns can be counted. */
  static TextTable table(List<String[]> rows, Set<Integer> rightAligned) {
    return new TextTable(
        rows.stream()
            .map(row -> Arrays.stream(row).map(cell -> cell.isEmpty() ? EMPTY : cell))
            .map(cells -> cells.toArray(String[]::new))
            .toList(),
        rightAligned);
  }

  void printTo(PrintWriter out) {
    List<String> hyperparameters = differing();
    List<String> metrics = metrics();
    List<String> heading = new ArrayList<>(List.of("job"));
    heading.addAll(hyperparameters);
    heading.add("status");
    Set<Integer> numbers = new HashSet<>();
    for (String metric : metrics) {
      numbers.add(heading.size());
      heading.add(metric);
    }
    for (String seconds : List.of("training s", "billable s")) {
      numbers.add(heading.size());
      heading.add(seconds);
    }
    List<String[]> rows = new ArrayList<>();
    rows.add(heading.toArray(String[]::new));
    for (JobDescription job : jobs) {
      List<String> row = new ArrayList<>(List.of(job.name()));
      hyperparameters.forEach(name -> row.add(value(job, name)));
      row.add(job.status().toString());
      metrics.forEach(name -> row.add(figure(job.metrics().get(name))));
      row.add(seconds(job.trainingSeconds()));
      row.add(seconds(job.billableSeconds()));
      rows.add(row.toArray(String[]::new));
    }
    table(rows, numbers).printTo(out);
    for (JobDescription job : jobs) {
      job.failure().ifPresent(reason -> out.println("%s: %s".formatted(job.name(), reason)));
    }
  }

  private static String figure(@Nullable Double value) {
    return value == null ? "" : String.format(Locale.ROOT, "%.4f", value);
  }

  private static String seconds(OptionalLong value) {
    return value.isPresent() ? "%,d".formatted(value.getAsLong()) : "";
  }

  /** The same for programs. */
  Map<String, Object> json() {
    return Map.of("jobs", jobs.stream().map(JobTable::json).toList());
  }

  private static Map<String, Object> json(JobDescription job) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", job.name());
    json.put("status", job.status().toString());
    json.put("phase", job.phase());
    job.failure().ifPresent(reason -> json.put("failure", reason));
    if (job.status() == JobStatus.UNKNOWN) {
      json.put("reason", job.message());
    }
    json.put("hyperparameters", job.hyperparameters());
    Map<String, Object> metrics = new LinkedHashMap<>();
    job.metrics().forEach((name, value) -> metrics.put(name, orNull(value)));
    json.put("metrics", metrics);
    job.trainingSeconds().ifPresent(seconds -> json.put("trainingSeconds", seconds));
    job.billableSeconds().ifPresent(seconds -> json.put("billableSeconds", seconds));
    job.model().ifPresent(place -> json.put("model", place.toString()));
    job.best().ifPresent(name -> json.put("best", name));
    return json;
  }

  /** What JSON has no number for is null. */
  static @Nullable Double orNull(double value) {
    return Double.isFinite(value) ? value : null;
  }
}
