package io.github.loragraph.cli;

import io.github.loragraph.HyperparameterSearch;
import io.github.loragraph.HyperparameterSearch.Repeat;
import io.github.loragraph.HyperparameterSearch.Result;
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
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code lora-graph search}. */
@Command(
    name = "search",
    header = "Searches hyperparameters by many trainings.",
    description = {
      "",
      "The file says model and data, the space of the options that are searched, how many trials"
          + " there are and by which figure they are judged. Trials are trainings in run folders of"
          + " their own; with 'pruning: asha' those that are not among the best are left early, and"
          + " the others go on from their checkpoints. The best is trained again with three other"
          + " seeds, and reported with their mean and spread.",
      "",
      "Writes trials.csv, a row for each trial, compare.html, and best.yaml, which train --config"
          + " takes. A search"
          + " that was stopped or killed goes on where the same command is given again, and has the"
          + " same trials as if it never had been.",
      ""
    },
    footer = {
      "",
      "The file:",
      "  model: model.onnx",
      "  base: {data: train.tsv, eval: dev.tsv, epochs: 2, match: 'query|output'}",
      "  space: {lr: {log-uniform: [1e-4, 5e-3]}, rank: {choice: [2, 4, 8]}}",
      "  trials: 16",
      "  objective: accuracy",
      "  pruning: asha",
      "",
      "Examples:",
      "  lora-graph search search.yaml -o search --dry-run",
      "  lora-graph search search.yaml -o search --trials 16 --parallel 2",
      "  lora-graph train --config search/best.yaml -o run",
      "  lora-graph search --example",
      "",
      "Ctrl-C and SIGTERM stop the trainings that are at work, with a checkpoint.",
      "Exit codes: 0 done; 1 failed; 2 wrong usage; 130, 143 and 129 stopped by Ctrl-C, SIGTERM and"
          + " SIGHUP."
    },
    mixinStandardHelpOptions = true)
final class SearchCommand implements Callable<Integer> {
  /** A search and what it is measured against. */
  private static final List<String> EXAMPLE = List.of("search", "random");

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "FILE",
      description = "The YAML file of the search.")
  private @Nullable Path file;

  @Option(
      names = {"-o", "--output-dir"},
      paramLabel = "DIR",
      description = "The folder of all results; of the files, with --example (default: example).")
  private @Nullable Path folder;

  @Option(
      names = "--trials",
      paramLabel = "N",
      description = "How many trials are begun, instead of what the file says.")
  private @Nullable Integer trials;

  @Option(
      names = "--parallel",
      paramLabel = "N",
      description =
          "How many are trained at once, instead of what the file says; another number makes another"
              + " search.")
  private @Nullable Integer parallel;

  @Option(
      names = "--dry-run",
      description = "Check everything, print the first trials, and train nothing.")
  private boolean dryRun;

  @Option(
      names = "--example",
      description =
          "Write an example with data to run it on: search.yaml (TPE with ASHA) and random.yaml.")
  private boolean example;

  @Option(names = "--force", description = "Replace another search in the folder.")
  private boolean force;

  @Mixin private ResultOutput output;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    if (example) {
      return writeExample();
    }
    if (file == null) {
      throw new ParameterException(
          spec.commandLine(), "name the FILE of the search, or write one with --example");
    }
    if (folder == null && !dryRun) {
      throw new ParameterException(
          spec.commandLine(), "name the folder of the results with -o DIR");
    }
    Path target = folder == null ? Path.of("DIR") : folder;
    Map<String, Object> others = new LinkedHashMap<>();
    if (trials != null) {
      others.put("trials", trials);
    }
    if (parallel != null) {
      others.put("parallel", parallel);
    }
    HyperparameterSearch read = HyperparameterSearch.fromFile(file, others).withNotes(output::say);
    HyperparameterSearch search = force ? read.overwriting() : read;
    if (dryRun) {
      search.check(target);
      search.remarks().forEach(output::say);
      printPlan(search);
      return 0;
    }
    try (ExperimentStop stop = new ExperimentStop(output, search::stop)) {
      Result result = search.run(target);
      if (!result.isComplete()) {
        output.say("stopped; the same command goes on with it");
        return stop.isAsked() ? stop.exitCode() : 1;
      }
      output.print(json(search, target, result), out -> printText(search, target, result, out));
      return result.best().isPresent() ? 0 : 1;
    }
  }

  private int writeExample() {
    Path target = folder == null ? Path.of("example") : folder;
    List<Path> files = ExperimentExample.unpack(target, EXAMPLE);
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("files", files.stream().map(Path::toString).toList());
    output.print(
        json,
        out -> {
          files.forEach(written -> out.println("written: " + written));
          out.printf(
              "lora-graph search %s -o %s%n",
              ShellWord.of(files.get(0)), ShellWord.of(target.resolve("results")));
        });
    return 0;
  }

  private void printPlan(HyperparameterSearch search) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("trials", search.trials());
    json.put("parallel", search.parallel());
    json.put("rungs", search.rungs());
    json.put("firstTrials", search.firstTrials());
    output.print(
        json,
        out -> {
          out.printf(
              Locale.ROOT,
              "%,d trials, %,d at once; measured after %s of a training%n",
              search.trials(),
              search.parallel(),
              search.rungs().stream()
                  .map(SearchCommand::percent)
                  .collect(Collectors.joining(", ")));
          out.println("first trials:");
          List<Map<String, Object>> first = search.firstTrials();
          List<String[]> rows = new ArrayList<>();
          List<String> names = names(first);
          rows.add(heading(List.of("trial"), names, List.of()));
          for (int i = 0; i < first.size(); i++) {
            rows.add(cells(List.of("" + (i + 1)), names, first.get(i), List.of()));
          }
          new TextTable(rows, Set.of(0)).printTo(out);
        });
  }

  private static Map<String, Object> json(HyperparameterSearch search, Path folder, Result result) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("objective", search.objective());
    json.put("trials", result.trials().stream().map(SearchCommand::json).toList());
    result
        .best()
        .ifPresent(
            best -> {
              Map<String, Object> entry = new LinkedHashMap<>(json(best));
              entry.put("mean", orNull(result.mean()));
              entry.put("standardDeviation", orNull(result.standardDeviation()));
              entry.put("repeats", result.repeats().stream().map(SearchCommand::json).toList());
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

  /** The best trials first: those that came further before those that were left earlier. */
  private static void printText(
      HyperparameterSearch search, Path folder, Result result, PrintWriter out) {
    int best = result.best().map(Trial::number).orElse(0);
    List<Trial> ordered = new ArrayList<>(result.trials());
    double sign =
        ordered.stream()
            .filter(trial -> trial.number() != best)
            .filter(trial -> trial.status() == HyperparameterSearch.Status.COMPLETE)
            .findFirst()
            .map(
                other ->
                    other.objective().orElse(0) > result.best().orElseThrow().objective().orElse(0)
                        ? 1.0
                        : -1.0)
            .orElse(-1.0);
    ordered.sort(
        Comparator.comparing((Trial trial) -> trial.number() != best)
            .thenComparing(trial -> trial.objective().isEmpty())
            .thenComparing(Comparator.comparingDouble(SearchCommand::part).reversed())
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

  private static List<String> names(List<Map<String, Object>> parameters) {
    Set<String> names = new LinkedHashSet<>();
    parameters.forEach(values -> names.addAll(values.keySet()));
    return List.copyOf(names);
  }

  private static String[] heading(List<String> before, List<String> names, List<String> after) {
    List<String> cells = new ArrayList<>(before);
    cells.addAll(names);
    cells.addAll(after);
    return cells.toArray(String[]::new);
  }

  private static String[] cells(
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

  private static String percent(double fraction) {
    return fraction == 1 ? "all" : String.format(Locale.ROOT, "%.1f %%", 100 * fraction);
  }
}
