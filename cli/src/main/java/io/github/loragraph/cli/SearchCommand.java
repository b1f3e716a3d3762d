package io.github.loragraph.cli;

import io.github.loragraph.HyperparameterSearch;
import io.github.loragraph.HyperparameterSearch.Result;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
          "How many are trained at once, instead of what the file says; with tpe or asha another"
              + " number makes another search.")
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
    Path given = file;
    if (given == null) {
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
    HyperparameterSearch read = HyperparameterSearch.fromFile(given, others).withNotes(output::say);
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
        output.log(
            "stopped, %s: go on with it: %s",
            SearchTable.done(result, search.trials()), again(given, target));
        return stop.isAsked() ? stop.exitCode() : 1;
      }
      output.print(
          SearchTable.json(search, target, result),
          out -> SearchTable.print(search, target, result, out));
      return result.best().isPresent() ? 0 : 1;
    }
  }

  /** With what was said in place of the file, by which it is this search and no other. */
  private String again(Path given, Path target) {
    return "lora-graph search %s -o %s%s%s"
        .formatted(
            ShellWord.of(given),
            ShellWord.of(target),
            trials == null ? "" : " --trials " + trials,
            parallel == null ? "" : " --parallel " + parallel);
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
              search.rungs().stream().map(SearchTable::percent).collect(Collectors.joining(", ")));
          out.println("first trials:");
          List<Map<String, Object>> first = search.firstTrials();
          List<String[]> rows = new ArrayList<>();
          List<String> names = SearchTable.names(first);
          rows.add(SearchTable.heading(List.of("trial"), names, List.of()));
          for (int i = 0; i < first.size(); i++) {
            rows.add(SearchTable.cells(List.of("" + (i + 1)), names, first.get(i), List.of()));
          }
          new TextTable(rows, Set.of(0)).printTo(out);
        });
  }
}
