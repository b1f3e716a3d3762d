package io.github.loragraph;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an {@link Experiment} brought.
 *
 * @param runs in the order of the experiment, those of one name together
 * @param stopped whether it was stopped before its end; started again, it goes on
 * @param table {@code results.csv}, a row for each run
 * @param comparison the page that compares the runs, where there are some to compare
 */
public record ExperimentResult(
    List<ExperimentRun> runs, boolean stopped, Path table, Optional<Path> comparison) {
  public ExperimentResult {
    runs = List.copyOf(runs);
  }

  /** Whether all runs are done. */
  public boolean allFinished() {
    return runs.stream().allMatch(run -> run.status() == ExperimentRun.Status.FINISHED);
  }

  /** Each configuration over its seeds, in the order of the experiment. */
  public List<ExperimentSummary> summaries() {
    Map<String, List<ExperimentRun>> byName = new LinkedHashMap<>();
    runs.forEach(run -> byName.computeIfAbsent(run.name(), n -> new ArrayList<>()).add(run));
    return byName.entrySet().stream()
        .map(entry -> ExperimentSummary.of(entry.getKey(), entry.getValue()))
        .toList();
  }
}
