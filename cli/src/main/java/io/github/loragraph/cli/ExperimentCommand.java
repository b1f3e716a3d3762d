package io.github.loragraph.cli;

import io.github.loragraph.Experiment;
import io.github.loragraph.ExperimentListener;
import io.github.loragraph.ExperimentResult;
import io.github.loragraph.ExperimentRun;
import io.github.loragraph.ExperimentSummary;
import io.github.loragraph.PlannedRun;
import io.github.loragraph.error.Counted;
import io.github.loragraph.experiment.RoughTime;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IntSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code lora-graph experiment}.
 *
 * <p>Long because the three forms of its result stand beside each other.
 */
@Command(
    name = "experiment",
    header = "Trains many configurations and compares them.",
    description = {
      "",
      "FILE is YAML: 'model' (a name or path; 'head: {...}' puts a head on it, as add-head does),"
          + " 'base' (options of all runs), 'runs' (a map of names to options), 'grid' (a map of"
          + " options to lists; each run is made at each point that differs for it) and 'seeds' (a list). Options"
          + " are those of train and inject by their names; 'method: none' measures the model as it"
          + " is. Relative paths are in the folder of FILE. A seed draws the head, the adapters and"
          + " the order of the data.",
      "",
      "Everything is checked before the first run starts. Each run is a process and a folder,"
          + " DIR/runs/NAME-seedN, with a log beside it; DIR/models has the models that are made for"
          + " them. Written at the end, and after each run: the table, and DIR/results.csv. Started"
          + " again after a stop, a kill or an addition to FILE, it goes on and does nothing twice.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph experiment experiment.yaml -o results",
      "  lora-graph experiment experiment.yaml --dry-run",
      "  lora-graph experiment --example article",
      "",
      "Exit codes: 0 all runs are done; 1 something failed, be it one run of many; 2 wrong usage;"
          + " 130, 143 and 129 stopped by Ctrl-C, SIGTERM and SIGHUP: runs that were at work have a"
          + " checkpoint and go on when the command is given again."
    },
    mixinStandardHelpOptions = true)
final class ExperimentCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "FILE",
      description = "The YAML file of the experiment.")
  private @Nullable Path file;

  @Option(
      names = {"-o", "--output-dir"},
      paramLabel = "DIR",
      description = "The folder of all results; of the files, with --example (default: its NAME).")
  private @Nullable Path folder;

  @Option(
      names = "--parallel",
      paramLabel = "N",
      description =
          "Runs at once (default: as many as there are cores and memory for). The cores are shared"
              + " out among them; runs that go on keep their threads.")
  private @Nullable Integer parallel;

  @Option(
      names = "--dry-run",
      description = "Print the runs and the commands that make them, and do nothing.")
  private boolean dryRun;

  @Option(
      names = "--example",
      paramLabel = "NAME",
      converter = ExperimentExample.Converter.class,
      completionCandidates = ExperimentExample.Converter.class,
      description =
          "Write an example with data to run it on: ${COMPLETION-CANDIDATES}. article: full"
              + " fine-tuning against LoRA of rank 2; sweep: ranks and layers.")
  private @Nullable ExperimentExample example;

  @Option(
      names = "--force",
      description = "Make runs anew whose options or data have changed since they were begun.")
  private boolean force;

  @Mixin private ResultOutput output;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    if (example != null) {
      return example(example);
    }
    Path given = file;
    if (given == null) {
      throw new ParameterException(
          spec.commandLine(), "name the FILE of the experiment, or one with --example");
    }
    Path target = folder;
    if (target == null && !dryRun) {
      throw new ParameterException(
          spec.commandLine(), "name the folder of the results with -o DIR");
    }
    if (parallel != null && parallel < 1) {
      throw new ParameterException(spec.commandLine(), "--parallel must be 1 or more");
    }
    Experiment experiment = Experiment.of(given);
    experiment = parallel == null ? experiment : experiment.withParallel(parallel);
    experiment = force ? experiment.replacingChanged() : experiment;
    return dryRun || target == null
        ? plan(experiment, given, target == null ? Path.of("DIR") : target)
        : run(experiment, given, target);
  }

  private int example(ExperimentExample wanted) {
    if (file != null) {
      throw new ParameterException(
          spec.commandLine(), "--example writes a FILE of its own: leave the other out");
    }
    Path place = folder == null ? Path.of(wanted.title()) : folder;
    List<Path> written = wanted.unpack(place);
    String run =
        "lora-graph experiment %s -o %s"
            .formatted(ShellWord.of(written.get(0)), ShellWord.of(place.resolve("results")));
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("files", written.stream().map(Path::toString).toList());
    json.put("command", run);
    output.print(
        json,
        out -> {
          written.forEach(path -> out.println("written: " + path));
          out.println("run it: " + run);
        });
    return 0;
  }

  private int plan(Experiment experiment, Path given, Path target) {
    List<PlannedRun> runs = experiment.plan(target);
    List<Map<String, Object>> json = new ArrayList<>();
    for (PlannedRun run : runs) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("run", run.name());
      entry.put("seed", run.seed());
      entry.put("state", run.state());
      entry.put("commands", run.commands());
      json.add(entry);
    }
    output.print(
        Map.of("runs", json),
        out -> {
          out.println("# run with bash");
          out.println("set -e");
          if (folder == null) {
            out.println("# DIR is the folder that -o names");
          }
          // What several runs have in common is made once, and what is done is not done again.
          Set<String> said = new HashSet<>();
          for (PlannedRun run : runs) {
            out.println("# %s, seed %d: %s".formatted(run.name(), run.seed(), run.state()));
            String before = isLeft(run) ? "" : "# ";
            run.commands().stream()
                .filter(command -> said.add(before + command))
                .forEach(command -> out.println(before + command));
          }
          out.println(
              "# an experiment also writes %s and %s: lora-graph experiment %s -o %s"
                  .formatted(
                      target.resolve("results.csv"),
                      target.resolve("compare.html"),
                      ShellWord.of(given),
                      ShellWord.of(target)));
        });
    return 0;
  }

  private static boolean isLeft(PlannedRun run) {
    return !run.state().equals("done") && !run.state().startsWith("changed");
  }

  private int run(Experiment experiment, Path given, Path target) {
    String again =
        "lora-graph experiment %s -o %s%s%s"
            .formatted(
                ShellWord.of(given),
                ShellWord.of(target),
                parallel == null ? "" : " --parallel " + parallel,
                // Of runs that have changed, some may be left to be made anew.
                force ? " --force" : "");
    try (ExperimentStop stop = new ExperimentStop(output)) {
      ExperimentResult result = experiment.run(target, new Progress(stop));
      print(result);
      long done =
          result.runs().stream()
              .filter(run -> run.status() == ExperimentRun.Status.FINISHED)
              .count();
      if (result.stopped()) {
        output.log(
            "stopped, %d of %d runs are done: go on with it: %s",
            done, result.runs().size(), again);
        return stop.exitCode();
      }
      return result.allFinished() ? 0 : 1;
    }
  }

  /** One line for each run that begins and ends. */
  private final class Progress implements ExperimentListener {
    private final ExperimentStop stop;

    Progress(ExperimentStop stop) {
      this.stop = stop;
    }

    @Override
    public void onBegin(int total, int done, int parallel, int threads) {
      output.log(
          "%s%s, %d at once with %s each",
          Counted.of(total, "run", "runs"),
          done == 0 ? "" : ", %d of them done already".formatted(done),
          parallel,
          Counted.of(threads, "thread", "threads"));
    }

    @Override
    public void onRunBegin(String name, long seed) {
      output.log("begins: %s, seed %d", name, seed);
    }

    @Override
    public void onRunEnd(ExperimentRun run, int done, int total, Optional<Duration> left) {
      String time = left.map(l -> ", about %s left".formatted(RoughTime.words(l))).orElse("");
      String what =
          run.status() == ExperimentRun.Status.FINISHED
              ? run.score().isPresent()
                  ? "%s %.4f".formatted(run.scoreName().orElseThrow(), run.score().getAsDouble())
                  : "done"
              : run.status() == ExperimentRun.Status.FAILED
                  ? "failed: " + run.message()
                  : run.status().toString();
      output.log(
          "%d/%d  %s, seed %d: %s%s",
          done, total, run.name(), run.seed(), what, done == total ? "" : time);
    }

    @Override
    public void onNote(String line) {
      output.say(line);
    }

    @Override
    public boolean shouldStop() {
      return stop.isAsked();
    }
  }

  private void print(ExperimentResult result) {
    output.print(json(result), out -> text(result, out));
  }

  private static Map<String, Object> json(ExperimentResult result) {
    List<Map<String, Object>> runs = new ArrayList<>();
    for (ExperimentRun run : result.runs()) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("run", run.name());
      entry.put("seed", run.seed());
      entry.put("status", run.status().toString());
      if (!run.message().isEmpty()) {
        entry.put("message", run.message());
      }
      Map<String, Object> metrics = new LinkedHashMap<>();
      run.metrics().forEach((name, value) -> metrics.put(name, orNull(value)));
      entry.put("metrics", metrics);
      entry.put("trainableParameters", orNull(run.trainableParameters()));
      entry.put("samplesPerSecond", orNull(run.samplesPerSecond()));
      entry.put("peakMegabytes", orNull(run.peakMegabytes()));
      entry.put("folder", run.folder().toString());
      runs.add(entry);
    }
    List<Map<String, Object>> summaries = new ArrayList<>();
    for (ExperimentSummary summary : result.summaries()) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("run", summary.name());
      entry.put("status", summary.status());
      Map<String, Object> metrics = new LinkedHashMap<>();
      summary
          .metrics()
          .forEach(
              (name, spread) -> {
                Map<String, Object> figures = new LinkedHashMap<>();
                figures.put("mean", orNull(spread.mean()));
                figures.put("deviation", orNull(spread.deviation()));
                figures.put("seeds", spread.seeds());
                metrics.put(name, figures);
              });
      entry.put("metrics", metrics);
      summaries.add(entry);
    }
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("finished", result.allFinished());
    json.put("stopped", result.stopped());
    json.put("summaries", summaries);
    json.put("runs", runs);
    json.put("results", result.table().toString());
    result.comparison().ifPresent(page -> json.put("comparison", page.toString()));
    return json;
  }

  private static @Nullable Object orNull(double value) {
    return Double.isFinite(value) ? value : null;
  }

  private static @Nullable Object orNull(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : null;
  }

  private static @Nullable Object orNull(OptionalLong value) {
    return value.isPresent() ? value.getAsLong() : null;
  }

  private static void text(ExperimentResult result, PrintWriter out) {
    List<ExperimentSummary> summaries = result.summaries();
    Set<String> scores = new LinkedHashSet<>();
    summaries.forEach(summary -> summary.scoreName().ifPresent(scores::add));
    List<String[]> rows = new ArrayList<>();
    rows.add(
        new String[] {
          "run",
          scores.size() == 1 ? scores.iterator().next() : "score",
          "loss",
          "trained parameters",
          "samples/s",
          "peak MB",
          "status"
        });
    for (ExperimentSummary summary : summaries) {
      rows.add(
          new String[] {
            summary.name(),
            summary
                .score()
                .map(
                    score ->
                        scores.size() == 1
                            ? score.text()
                            : summary.scoreName().orElse("") + " " + score.text())
                .orElse(""),
            Optional.ofNullable(summary.metrics().get("loss"))
                .map(ExperimentSummary.Spread::text)
                .orElse(""),
            summary.trainableParameters().isPresent()
                ? "%,d".formatted(summary.trainableParameters().getAsLong())
                : "",
            whole(summary.samplesPerSecond()),
            whole(summary.peakMegabytes()),
            summary.status()
          });
    }
    new TextTable(rows, Set.of(1, 2, 3, 4, 5)).printTo(out);
    IntSummaryStatistics seeds =
        summaries.stream().mapToInt(ExperimentCommand::finished).summaryStatistics();
    if (seeds.getMax() > 1) {
      out.println(
          "mean and standard deviation over %s; of memory the most"
              .formatted(
                  seeds.getMin() == seeds.getMax()
                      ? seeds.getMax() + " seeds"
                      : "the seeds that are finished"));
    }
    result.runs().stream()
        .filter(run -> !run.message().isEmpty())
        .forEach(
            run ->
                out.println(
                    "%s, seed %d failed: %s".formatted(run.name(), run.seed(), run.message())));
    out.println("written: " + result.table());
    result.comparison().ifPresent(page -> out.println("         " + page));
  }

  private static int finished(ExperimentSummary summary) {
    return (int)
        summary.runs().stream()
            .filter(run -> run.status() == ExperimentRun.Status.FINISHED)
            .count();
  }

  private static String whole(OptionalDouble value) {
    return value.isPresent() ? "%,.0f".formatted(value.getAsDouble()) : "";
  }
}
