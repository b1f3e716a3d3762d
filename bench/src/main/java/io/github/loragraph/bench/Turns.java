package io.github.loragraph.bench;

import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Measures the rows of a setting one after the other, several times: what else the machine does
 * then falls on all of them.
 *
 * @param say is told a line for each process
 */
record Turns(Fork fork, int turns, Consumer<String> say) {
  /** Each row; one that fails is not tried again. */
  List<Result> of(Setting setting, List<Row> rows) {
    Map<Row, List<Measured>> measured = new LinkedHashMap<>();
    Map<Row, String> problems = new LinkedHashMap<>();
    for (int turn = 1; turn <= turns; turn++) {
      for (Row row : rows) {
        if (!problems.containsKey(row)) {
          String what = "%s, turn %d of %d: %s".formatted(setting, turn, turns, row.name());
          try {
            Measured figures = fork.measure(setting, row);
            measured.computeIfAbsent(row, r -> new ArrayList<>()).add(figures);
            say.accept(String.format(Locale.ROOT, "%s: %.3f s", what, figures.step()));
          } catch (LoraGraphException e) {
            problems.put(row, e.getMessage());
            say.accept("%s fails: %s".formatted(what, e.getMessage()));
          }
        }
      }
    }
    return rows.stream()
        .map(
            row ->
                new Result(setting, row, measured.getOrDefault(row, List.of()), problems.get(row)))
        .toList();
  }
}
