package io.github.loragraph.cli;

import io.github.loragraph.HyperparameterSearch;
import io.github.loragraph.HyperparameterSearch.Repeat;
import io.github.loragraph.HyperparameterSearch.Result;
import io.github.loragraph.HyperparameterSearch.Status;
import io.github.loragraph.HyperparameterSearch.Trial;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a search brought, for people and for programs. */
final class SearchTable {
  private SearchTable() {}

  static Map<String, Object> json(HyperparameterSearch search, Path folder, Result result) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("objective", search.objective());
    json.put("trials", result.trials().stream().map(SearchTable::json).toList());
    result
        .best()
        .ifPresent(
            best -> {
              Map<String, Object> entry = new LinkedHashMap<>(json(best));
              entry.put("mean", orNull(result.mean()));
              entry.put("standardDeviation", orNull(result.standardDeviation()));
              entry.put("repeats", result.repeats().stream().map(SearchTable::json).toList());
              result.bestConfig().ifPresent(config -> entry.put("config", config.toString()));
              json.put("best", entry);
            });
    json.put("importance", result.importance());
    json.put("steps", result.steps());
    json.put("seconds", result.seconds());
    json.put("stepsOfAll", result.stepsOfAll());
    json.put(
        "secondsOfAll",
        Double.isNaN(result.secondsOfAll()) ? null : (Double) result.secondsOfAll());
    json.put("folder", folder.toString());
    return json;
  }

  private static Map<String, Object> json(Trial trial) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("trial", trial.number());
    json.put("parameters", trial.parameters());
    json.put("status", word(trial));
    json.put("objective", orNull(trial.objective()));
    json.put("steps", trial.steps());
    json.put("seconds", trial.seconds());
    json.put("runFolder", trial.runFolder().toString());
    return json;
  }

  private static Map<String, Object> json(Repeat repeat) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("seed", repeat.seed());
    json.put("objective", orNull(repeat.objective()));
    Map<String, Double> metrics = new LinkedHashMap<>(repeat.metrics());
    metrics.replaceAll((name, figure) -> Double.isFinite(figure) ? figure : null);
    json.put("metrics", metrics);
    json.put("runFolder", repeat.runFolder().toString());
    return json;
  }

  private static @Nullable Double orNull(OptionalDouble figure) {
    return figure.isPresent() ? (Double) figure.getAsDouble() : null;
  }

  /**
   * How far a search came that was stopped, in a few words.
   *
   * @param trials how many there are to be
   */
  static String done(Result result, int trials) {
    List<Trial> left =
        result.trials().stream().filter(trial -> trial.status() == Status.UNFINISHED).toList();
    long measured = left.stream().filter(trial -> trial.objective().isPresent()).count();
    int done = result.trials().size() - left.size();
    return "%d of %d trials are done%s"
        .formatted(
            done,
            trials,
            done == trials
                ? " and %d trainings of the best with other seeds"
                    .formatted(result.repeats().size())
                : measured == 0 ? "" : " and %d are measured on their way".formatted(measured));
  }

  /** The best trials first: those that came further before those that were left earlier. */
  static void print(HyperparameterSearch search, Path folder, Result result, PrintWriter out) {
    int best = result.best().map(Trial::number).orElse(0);
    List<Trial> ordered = new ArrayList<>(result.trials());
    double sign = search.isMaximized() ? -1 : 1;
    ordered.sort(
        Comparator.comparing((Trial trial) -> trial.number() != best)
            .thenComparing(trial -> trial.objective().isEmpty())
            .thenComparing(Comparator.comparingDouble(SearchTable::part).reversed())
            .thenComparingDouble(trial -> sign * trial.objective().orElse(0))
            .thenComparingInt(Trial::number));
    List<String> names = names(ordered.stream().map(Trial::parameters).toList());
    List<String[]> rows = new ArrayList<>();
    rows.add(
        heading(
            List.of("trial"), names, List.of(search.objective(), "steps", "seconds", "status")));
    for (Trial trial : ordered) {
      rows.add(
          cells(
              List.of("" + trial.number()),
              names,
              trial.parameters(),
              List.of(
                  figure(trial.objective()),
                  String.format(Locale.ROOT, "%,d", trial.steps()),
                  String.format(Locale.ROOT, "%.1f", trial.seconds()),
                  word(trial))));
    }
    int columns = rows.get(0).length;
    new TextTable(rows, Set.of(0, columns - 4, columns - 3, columns - 2)).printTo(out);
    out.println();
    out.printf(
        Locale.ROOT,
        "cost: %,d steps in %,.0f s of work; all trials trained whole: %,d steps%s%n",
        result.steps(),
        result.seconds(),
        result.stepsOfAll(),
        Double.isNaN(result.secondsOfAll())
            ? ""
            : String.format(Locale.ROOT, ", about %,.0f s", result.secondsOfAll()));
    if (!result.importance().isEmpty()) {
      out.println(
          result.importance().entrySet().stream()
              .map(e -> "%s %d %%".formatted(e.getKey(), Math.round(100 * e.getValue())))
              .collect(
                  Collectors.joining(
                      ", ", "of the spread where trials were measured first goes with: ", "")));
    }
    if (result.best().isEmpty()) {
      out.println("no trial was trained whole: nothing is the best");
      return;
    }
    Trial winner = result.best().orElseThrow();
    out.printf(
        "best: trial %d: %s%n",
        winner.number(),
        winner.parameters().entrySet().stream()
            .map(e -> e.getKey() + " " + e.getValue())
            .collect(Collectors.joining(", ")));
    out.printf(
        "  with seeds %s: %s %s, standard deviation %s (the trial itself, which was chosen for it: %s)%n",
        result.repeats().stream()
            .map(repeat -> "" + repeat.seed())
            .collect(Collectors.joining(", ")),
        search.objective(),
        figure(result.mean()),
        figure(result.standardDeviation()),
        figure(winner.objective()));
    result
        .bestConfig()
        .ifPresent(
            config -> out.printf("  lora-graph train --config %s -o run%n", ShellWord.of(config)));
    out.printf("table: %s, %s%n", folder.resolve("trials.csv"), folder.resolve("compare.html"));
  }

  private static double part(Trial trial) {
    return trial.totalSteps() == 0 ? 1 : trial.steps() / (double) trial.totalSteps();
  }

  static List<String> names(List<Map<String, Object>> parameters) {
    Set<String> names = new LinkedHashSet<>();
    parameters.forEach(values -> names.addAll(values.keySet()));
    return List.copyOf(names);
  }

  static String[] heading(List<String> before, List<String> names, List<String> after) {
    List<String> cells = new ArrayList<>(before);
    cells.addAll(names);
    cells.addAll(after);
    return cells.toArray(String[]::new);
  }

  static String[] cells(
      List<String> before, List<String> names, Map<String, Object> values, List<String> after) {
    return heading(
        before,
        names.stream().map(name -> String.valueOf(values.getOrDefault(name, "-"))).toList(),
        after);
  }

  private static String word(Trial trial) {
    return trial.status().name().toLowerCase(Locale.ROOT);
  }

  private static String figure(OptionalDouble figure) {
    return figure.isPresent() ? String.format(Locale.ROOT, "%.4f", figure.getAsDouble()) : "-";
  }

  static String percent(double fraction) {
    return fraction == 1 ? "all" : String.format(Locale.ROOT, "%.1f %%", 100 * fraction);
  }
}
