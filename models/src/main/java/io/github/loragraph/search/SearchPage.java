package io.github.loragraph.search;

import io.github.loragraph.error.Counted;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.report.ComparedRun;
import io.github.loragraph.report.ComparisonPage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The page of a search, in its folder. */
final class SearchPage {
  private SearchPage() {}

  /**
   * Writes all trials and repeats: those that were trained whole first, the best of them.
   *
   * @param folder of the search
   * @param rows by the numbers of the trials
   * @param repeats of the winner, whose place in the rows is {@code winner}
   * @throws LoraGraphException if the page cannot be written
   */
  static void write(
      SearchPlan plan,
      Path folder,
      List<TrialRow> rows,
      List<SearchOutcome.Repeat> repeats,
      Optional<Integer> winner) {
    List<TrialRow> bestFirst =
        rows.stream()
            .sorted(
                Comparator.comparing(TrialRow::status)
                    .thenComparingDouble(row -> plan.score(row.objective())))
            .toList();
    List<ComparedRun> runs = new ArrayList<>();
    for (TrialRow row : bestFirst) {
      String name = "trial " + row.number();
      runs.add(compared(folder, name, name, plan.seed(), row.status(), row.folder(), row));
      if (winner.isPresent() && rows.get(winner.get()) == row) {
        for (SearchOutcome.Repeat repeat : repeats) {
          runs.add(
              compared(
                  folder,
                  "%s, seed %d".formatted(name, repeat.seed()),
                  name + " with other seeds",
                  repeat.seed(),
                  Double.isNaN(repeat.objective())
                      ? TrialRow.Status.FAILED
                      : TrialRow.Status.COMPLETE,
                  repeat.folder(),
                  row));
        }
      }
    }
    ComparisonPage.write(
        folder.resolve(SearchFolder.COMPARISON),
        "%s by %s, best first"
            .formatted(Counted.of(rows.size(), "trial", "trials"), plan.objective()),
        plan.objective(),
        runs);
  }

  private static ComparedRun compared(
      Path folder,
      String name,
      String configuration,
      long seed,
      TrialRow.Status status,
      String run,
      TrialRow trial) {
    Map<String, String> options = new LinkedHashMap<>();
    trial.parameters().forEach((option, value) -> options.put(option, String.valueOf(value)));
    return new ComparedRun(
        name, configuration, Long.toString(seed), status.toString(), folder.resolve(run), options);
  }
}
