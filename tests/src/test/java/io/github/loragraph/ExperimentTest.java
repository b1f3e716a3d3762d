package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.models.RunConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Experiments from their file to their table, by processes as a user has them. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ExperimentTest {
  private static final String BASE =
      """
      model: model.onnx
      base: {data: train.jsonl, eval: train.jsonl, batch-size: 8, steps: 12, log-every: 3, engine: graph}
      """;

  @TempDir Path folder;
  private Trainings trainings;
  private Path file;

  @BeforeEach
  void prepare() throws Exception {
    trainings = new Trainings(folder);
    file = folder.resolve("experiment.yaml");
  }

  private Cli refused(String yaml) throws Exception {
    Files.writeString(file, yaml);
    Cli cli = Cli.run("experiment", file, "-o", folder.resolve("results"));
    assertEquals(1, cli.exitCode(), cli.err());
    assertEquals(1, cli.err().strip().lines().count(), cli.err());
    assertFalse(Files.exists(folder.resolve("results")));
    return cli;
  }

  private void assertRefused(String words, String yaml) throws Exception {
    Cli cli = refused(yaml);
    assertTrue(cli.err().contains(words), cli.err());
  }

  @Test
  void whatIsWrongIsSaidBeforeTheFirstRun() throws Exception {
    assertRefused(
        file + ": runs.lora.rnak is no option of train: rank?",
        BASE + "runs: {full: {method: full}, lora: {match: query, rnak: 2}}");
    assertRefused(
        file + ": runs.full.lr: 'high' is no number",
        BASE + "runs: {full: {method: full, lr: high}}");
    assertRefused(file + ": runs.lora.rank: ", BASE + "runs: {lora: {match: query, rank: two}}");
    assertRefused(
        "runs.a.output-name: it is empty, and no output is called so",
        BASE + "runs: {a: {method: full, output-name: ''}}");
    assertRefused("'../x' is no name of a run", BASE + "runs: {../x: {method: full}}");
    assertRefused(
        "there are two runs of the name 'FULL'",
        BASE + "runs: {full: {method: full}, FULL: {method: head}}");
    assertRefused(file + ":", BASE + "runs: {full: {method: full}, full: {method: head}}");
    assertRefused(
        "runs.full.rank: a run of method full puts no adapters on",
        BASE + "runs: {full: {method: full, rank: 2}}");
    assertRefused(
        file + ": runs.full.eval: no such file: ",
        BASE + "runs: {full: {method: full, eval: nowhere.tsv}}");
    assertRefused(
        "runs.full.eval: 's3://bucket/dev.tsv' is an address, which 'sagemaker submit' alone takes: copy it, and name the file",
        BASE + "runs: {full: {method: full, eval: 's3://bucket/dev.tsv'}}");
    assertRefused(
        "sedes is no key of an experiment: seeds?",
        BASE + "sedes: [1]\nruns: {full: {method: full}}");
    assertRefused("seeds: 1 is there twice", BASE + "seeds: [1, 1]\nruns: {full: {method: full}}");
    assertRefused("asks for nothing", BASE);
    assertRefused(
        "grid.rank: no run has any use for it",
        BASE + "runs: {full: {method: full}}\ngrid: {rank: [2, 8], lr: [1e-3]}");
    assertRefused(
        "grid.rank: no run has any use for it",
        BASE.replace("{data", "{method: full, data") + "grid: {rank: [2, 8]}");
    assertRefused(
        "runs.full.grid.rank: a run of method full puts no adapters on",
        BASE + "runs: {full: {method: full, grid: {rank: [2, 8]}}}");
    assertRefused(
        "runs.before.lora-dropout: a run of method none is measured and not trained",
        BASE + "runs: {before: {method: none, lora-dropout: 0.1}}");
    assertRefused(
        file + ":4: '*fast' is an alias, and those are not followed",
        BASE + "runs:\n  full: {method: full, lr: *fast}".replace("full:", "full: &fast"));
    assertRefused(
        file + ":5: a second document begins here",
        BASE + "runs: {full: {method: full}}\n---\nruns: {head: {method: head}}");
    assertRefused(
        file + ":3 is not a YAML map of options: 'method' is there twice: keep one of them",
        BASE + "runs: {full: {method: full, method: head}}");
    assertRefused(
        "runs.full.continue-from is nothing that runs differ by",
        BASE + "runs: {full: {method: full, continue-from: run}}");
    assertRefused(
        "runs.full.lora-dropout: a run of method full puts no adapters on: leave it out",
        BASE + "runs: {full: {method: full, lora-dropout: 0.1}}");
    assertRefused(
        "runs.one.method: heads is none of: lora, full, head, none",
        BASE + "runs: {one: {method: heads}}");
    assertRefused(
        "runs.lora.rank: '2,8' is no whole number; values that are tried one by one go into 'grid'",
        BASE + "runs: {lora: {match: query, rank: [2, 8]}}");
    assertRefused(
        "seeds: it is no list: [2] is one seed, and [0, 1, 2] are three",
        BASE + "seeds: 2\nruns: {full: {method: full}}");
    assertRefused(
        "seeds: '1' is a text: leave its quotes out",
        BASE + "seeds: ['1']\nruns: {full: {method: full}}");
    assertRefused("model: no such model: ", "model: nowhere\nruns: {full: {data: train.jsonl}}");
    assertRefused(
        file + ":3: 'lr 1e-3' is one name: a colon and a blank belong after 'lr': 'lr: 1e-3'",
        BASE + "runs: {full: {method: full, lr 1e-3}}");
    assertRefused(
        "runs.full.eval: no such file: " + folder.resolve("trian.jsonl") + ": train.jsonl?",
        BASE + "runs: {full: {method: full, eval: trian.jsonl}}");
    assertRefused(
        "--eval-split must be above 0 and below 1, and is 20: 0.2 are 20 %",
        BASE.replaceFirst(" eval: [^,]*", " eval-split: 20") + "runs: {full: {method: full}}");
  }

  @Test
  void theFileOfSomethingElseIsGivenToItsCommand() throws Exception {
    String search = BASE + "space: {lr: {choice: [1e-3]}}\ntrials: 2\nobjective: loss\n";
    assertRefused(
        file
            + " is the file of a search, and not of an experiment: run it with 'lora-graph search "
            + file
            + " -o DIR'",
        search);
    Cli train = Cli.run("train", "--config", file, "-o", folder.resolve("results"));
    assertEquals(1, train.exitCode(), train.err());
    assertTrue(
        train.err().contains(" is the file of a search, and not of a training: "), train.err());
    assertRefused(
        file
            + " is the file of a training, and not of an experiment: run it with 'lora-graph train"
            + " --config "
            + file
            + " -o DIR'",
        "model: model.onnx\ndata: train.jsonl\n");
    Files.writeString(file, BASE + "runs: {full: {method: full}}");
    Cli cli = Cli.run("search", file, "--trials", 2, "-o", folder.resolve("results"));
    assertEquals(1, cli.exitCode(), cli.err());
    assertTrue(
        cli.err().contains(" is the file of an experiment, and not of a search: "), cli.err());
  }

  @Test
  void aFolderOfSomethingElseIsLeftAlone() throws Exception {
    Files.writeString(file, BASE + "runs: {full: {method: full}}");
    Cli cli = Cli.run("experiment", file, "-o", folder);
    assertEquals(1, cli.exitCode());
    assertTrue(cli.err().contains(folder + " is not the folder of an experiment"), cli.err());
  }

  /** What each run would die of is said before the first. */
  @Test
  void aModelWithoutWhatTheMethodNeedsIsRefused() throws Exception {
    String encoder = "all-MiniLM-L6-v2";
    assertRefused(
        "plain: " + folder.resolve("model.onnx") + " has no adapters: name the layers",
        BASE + "runs: {full: {method: full}, plain: {lr: 1e-3}}");
    assertRefused(
        "more: " + folder.resolve("model.lora.onnx") + " has adapters already",
        BASE.replace("model.onnx", "model.lora.onnx") + "runs: {more: {match: key}}");
    for (String method : List.of("full", "head", "none")) {
      assertRefused(
          "one: " + encoder + " has no head: put one on with head: {}",
          BASE.replace("model.onnx", encoder) + "runs: {one: {method: " + method + "}}");
    }
  }

  /** Figures of different examples are not compared. */
  @Test
  void allSeedsAreMeasuredOnTheSameExamples() throws Exception {
    String split = BASE.replace("{data", "{eval-split: 0.3, data").replaceAll(", eval: [^,}]*", "");
    String runs = "seeds: [3, 4]\nruns: {full: {method: full}, own: {method: full, lr: 1e-3, %s}}";
    Files.writeString(file, split + runs.formatted("eval-split-seed: 9"));
    List<String> commands =
        Experiment.of(file).plan(folder.resolve("results")).stream()
            .flatMap(run -> run.commands().stream())
            .toList();
    assertEquals(4, commands.size());
    for (int i = 0; i < commands.size(); i++) {
      String drawn = "--eval-split-seed " + (i < 2 ? 0 : 9);
      assertTrue(commands.get(i).contains(drawn + " "), commands.get(i));
      assertTrue(commands.get(i).contains("--seed " + (3 + i % 2) + " "), commands.get(i));
    }
  }

  /** What each run would die of, of its layers, figures and rows. */
  @Test
  void layersFiguresAndRowsAreLookedAt() throws Exception {
    String model = folder.resolve("model.onnx") + ": ";
    assertRefused(
        "lora: " + model + "'quary' matches no Linear layer",
        BASE + "runs: {full: {method: full}, lora: {match: quary}}");
    assertRefused(
        "all-rank9999: " + model + "rank 9999 is above the size of",
        BASE + "runs: {all: {match: query, grid: {rank: [2, 9999]}}}");
    assertRefused(
        "one: save-best: 'acuracy' is no figure of classification: accuracy?",
        BASE + "runs: {one: {method: full, save-best: acuracy}}");
    assertRefused(
        "one: save-best: 'f1' is no figure of classification: ",
        BASE + "runs: {one: {method: full, save-best: f1}}");
    assertRefused(
        "train.jsonl:1 has no",
        BASE + "runs: {full: {method: full}, one: {method: full, label-column: intention}}");
    String noEval = BASE.replaceAll(", eval: [^,}]*", "");
    assertRefused(
        "one: which evaluation was the best shows on held-out examples",
        noEval + "runs: {one: {method: full, save-best: accuracy}}");
    assertRefused(
        "one: patience counts evaluations on the way",
        BASE + "runs: {one: {method: full, patience: 2}}");
    assertRefused(
        "one: thresholds are of any number of classes",
        BASE + "runs: {one: {method: full, fit-thresholds: true}}");
    assertRefused(
        "one: only words have sub-words",
        BASE + "runs: {one: {method: full, label-all-subwords: true}}");
    assertRefused(
        "one: classification has no loss 'cosent'",
        BASE + "runs: {one: {method: full, loss: cosent}}");
    Path data = folder.resolve("rows.tsv");
    Files.writeString(data, "text\tlabel\ngood\tyes\n\tno\n");
    assertRefused(
        "one: " + data + ":3 has nothing in column 'text'",
        BASE + "runs: {full: {method: full}, one: {method: full, eval: rows.tsv}}");
    assertRefused(
        "one: " + data + ":3 has nothing in column 'text'",
        BASE + "runs: {full: {method: full}, one: {method: full, data: rows.tsv}}");
    assertRefused(
        "one: " + data + ":3 has nothing in column 'text'",
        BASE + "runs: {full: {method: full}, one: {method: none, eval: rows.tsv}}");
    Files.writeString(
        file,
        BASE.replace("model.onnx", "model.lora.onnx")
            + "runs: {one: {method: full, save-best: eval_loss}, two: {method: head, train-bias:"
            + " true}}");
    assertEquals(0, Cli.run("experiment", file, "--dry-run").exitCode());
  }

  private List<String> plannedNames(String yaml) throws Exception {
    Files.writeString(file, yaml);
    return Experiment.of(file).plan(folder.resolve("results")).stream()
        .map(PlannedRun::name)
        .distinct()
        .toList();
  }

  /** The form of the documentation: each run at each point that makes a difference to it. */
  @Test
  void aSharedGridIsOfTheRunsThatHaveAUseForIt() throws Exception {
    String runs =
        """
        seeds: [0, 1, 2]
        runs:
          before: {method: none}
          full: {method: full, lr: 5e-5}
          lora-r2: {match: 'query|output', rank: 2, lr: 4e-4}
        """;
    assertEquals(
        List.of(
            "before",
            "full-lr1e-3",
            "full-lr3e-3",
            "lora-r2-rank2-lr1e-3",
            "lora-r2-rank2-lr3e-3",
            "lora-r2-rank8-lr1e-3",
            "lora-r2-rank8-lr3e-3"),
        plannedNames(BASE + runs + "grid: {rank: [2, 8], lr: [1e-3, 3e-3]}"));
    assertEquals(
        List.of("before", "full", "lora-r2-rank=none", "lora-r2-rank8"),
        plannedNames(BASE + runs + "grid: {rank: [~, 8]}"));
    assertEquals(
        List.of("method=full", "method=lora-rank2", "method=lora-rank8"),
        plannedNames(
            BASE.replace("{data", "{match: query, lora-dropout: 0.1, data")
                + "grid: {method: [full, lora], rank: [2, 8]}"));
    assertTrue(
        Experiment.of(file).plan(folder.resolve("results")).get(0).commands().stream()
            .noneMatch(command -> command.contains("--lora-dropout")));
  }

  /** Without what the clock decides. */
  private static List<String> rows(Path results) throws Exception {
    return Files.readAllLines(results.resolve("results.csv")).stream()
        .map(row -> row.split(",", -1))
        .map(
            cells -> {
              if (!cells[0].equals("run")) {
                cells[6] = "";
                cells[7] = "";
              }
              return String.join(",", cells);
            })
        .toList();
  }

  @Test
  void runsAreThoseOfThePlainCommandsAndNothingIsDoneTwice() throws Exception {
    Files.writeString(
        file,
        BASE
            + """
            seeds: [3]
            runs:
              before: {method: none}
              lora: {match: 'query|output', rank: 2, lr: 4e-4}
              wrong: {match: 'query|output', rank: 2, lr: 1e38}
            """);
    Path results = folder.resolve("results");
    Cli first = Cli.run("experiment", file, "-o", results);
    assertEquals(1, first.exitCode(), first.err());
    assertTrue(first.out().contains("wrong, seed 3 failed: the loss is NaN"), first.out());
    List<String> rows = rows(results);
    assertTrue(
        rows.get(0)
            .startsWith(
                "run,seed,status,accuracy,loss,trainableParameters,samplesPerSecond,peakMegabytes,folder"),
        rows.toString());
    assertTrue(rows.get(1).startsWith("before,3,finished,"), rows.toString());
    assertFalse(rows.get(0).matches(".*(examples|truncated|maxLength).*"), rows.get(0));
    int filled = rows.get(2).split(",", -1).length;
    assertEquals(filled, rows.get(1).split(",").length, "the figures of a trained run");
    String measured = Files.readAllLines(results.resolve("results.csv")).get(1);
    assertTrue(measured.split(",")[7].matches("[0-9.]+"), measured);
    assertTrue(first.err().contains("before, seed 3: accuracy 0."), first.err());
    assertTrue(rows.get(2).contains(",runs/lora-seed3"), rows.toString());
    assertTrue(rows.get(3).startsWith("wrong,3,failed,,,,,,,"), "it left no folder: " + rows);
    assertTrue(Files.exists(results.resolve("compare.html")));

    Path plain = folder.resolve("plain");
    PlannedRun planned = Experiment.of(file).plan(plain).get(1);
    for (String command : planned.commands()) {
      String[] words = command.replace("'", "").substring("lora-graph ".length()).split(" ");
      assertEquals(0, Cli.run((Object[]) words).exitCode(), command);
    }
    Path run = plain.resolve("runs/lora-seed3");
    Path made = results.resolve("runs/lora-seed3");
    assertArrayEquals(Runs.learned(run), Runs.learned(made));
    assertEquals(Trainings.figures(run), Trainings.figures(made));
    assertEquals(threads(made), threads(run));

    String changed = Files.readString(file).replace("4e-4", "5e-4").replaceAll(" *wrong: .*\n", "");
    Files.writeString(file, changed);
    Cli refused = Cli.run("experiment", file, "-o", results);
    assertEquals(1, refused.exitCode());
    assertTrue(
        refused.err().contains("lora-seed3 has begun otherwise: lr was 4e-4 and is 5e-4"),
        refused.err());
    Files.writeString(file, changed.replace("5e-4", "4e-4"));
    Cli again = Cli.run("experiment", file, "-o", results);
    assertEquals(0, again.exitCode(), again.err());
    assertFalse(again.err().contains("begins: "), again.err());
    assertEquals(rows.subList(0, 3), rows(results));
    assertEquals(measured, Files.readAllLines(results.resolve("results.csv")).get(1));
    try (Stream<Path> models = Files.list(results.resolve("models"))) {
      assertEquals(1, models.filter(Files::isDirectory).count(), "made once for equal settings");
    }
  }

  /** What is printed is a script: what runs have in common is made once. */
  @Test
  void whatIsPlannedRunsAsItIsPrinted() throws Exception {
    Files.writeString(
        file,
        BASE
            + """
            runs:
              one: {match: query, rank: 2, lr: 1e-3}
              other: {match: query, rank: 2, lr: 2e-3}
            """);
    Path plain = folder.resolve("plain");
    List<String> commands = left(plain);
    assertEquals(3, commands.size(), commands.toString());
    for (String command : commands) {
      String[] words = command.replace("'", "").substring("lora-graph ".length()).split(" ");
      assertEquals(0, Cli.run((Object[]) words).exitCode(), command);
    }
    assertEquals(List.of(), left(plain));
  }

  /** The commands that are printed: a script that ends where one of them fails. */
  private List<String> left(Path results) {
    Cli plan = Cli.run("experiment", file, "--dry-run", "-o", results);
    assertEquals(0, plan.exitCode(), plan.err());
    List<String> lines = plan.out().lines().toList();
    assertEquals(List.of("# run with bash", "set -e"), lines.subList(0, 2));
    assertEquals(
        "# an experiment also writes %s and %s: lora-graph experiment %s -o %s"
            .formatted(
                results.resolve("results.csv"), results.resolve("compare.html"), file, results),
        lines.get(lines.size() - 1));
    return plan.out().lines().filter(line -> line.startsWith("lora-graph ")).toList();
  }

  @Test
  void whatIsStoppedIsSaidAsItIs() throws Exception {
    String runs = "runs: {a: {method: full, steps: 4000}, b: {method: full}, c: {method: full}}";
    Files.writeString(file, BASE + runs);
    Path results = folder.resolve("results");
    List<String> heard = new CopyOnWriteArrayList<>();
    Path steps = results.resolve("runs/a-seed0/metrics.jsonl");
    ExperimentResult stopped =
        Experiment.of(file)
            .withParallel(1)
            .run(
                results,
                new ExperimentListener() {
                  @Override
                  public void onRunBegin(String name, long seed) {
                    heard.add("begins " + name);
                  }

                  @Override
                  public void onRunEnd(
                      ExperimentRun run, int done, int total, Optional<Duration> left) {
                    heard.add("ends " + run.name());
                  }

                  @Override
                  public boolean shouldStop() {
                    return steps.toFile().length() > 0;
                  }
                });
    assertTrue(stopped.stopped());
    assertEquals(List.of("begins a"), heard);
    assertEquals(
        List.of("stopped", "waiting", "waiting"),
        stopped.runs().stream().map(run -> run.status().toString()).toList());
    List<String> rows = Files.readAllLines(results.resolve("results.csv"));
    assertEquals("a,0,stopped,,,,,,runs/a-seed0", rows.get(1));
    assertEquals("b,0,waiting,,,,,,", rows.get(2));
    Cli plan = Cli.run("experiment", file, "--dry-run", "-o", results);
    assertTrue(plan.out().contains("# a, seed 0: goes on from its checkpoint\n"), plan.out());
    assertTrue(plan.out().contains("# b, seed 0: to do\n"), plan.out());
    List<String> left = left(results);
    assertEquals(3, left.size(), left.toString());
    assertEquals("lora-graph train --resume " + results.resolve("runs/a-seed0"), left.get(0));

    // From the beginning the table of one that goes on says what has begun.
    List<String> begun = new ArrayList<>();
    Experiment.of(file)
        .withParallel(1)
        .run(
            results,
            new ExperimentListener() {
              @Override
              public void onBegin(int total, int done, int parallel, int threads) {
                begun.addAll(lines(results.resolve("results.csv")));
              }

              @Override
              public boolean shouldStop() {
                return true;
              }
            });
    assertEquals(rows, begun);
    Files.copy(folder.resolve("train.jsonl"), folder.resolve("more.jsonl"));
    Files.writeString(
        file, BASE.replace("data: train.jsonl", "data: [train.jsonl, more.jsonl]") + runs);
    Cli changed = Cli.run("experiment", file, "--dry-run", "-o", results);
    assertTrue(changed.out().contains("# a, seed 0: changed: data was "), changed.out());
    assertTrue(
        changed.out().lines().allMatch(line -> line.matches("(#|lora-graph |set -e).*|")),
        changed.out());
    Files.writeString(file, BASE + runs);
    Cli report = Cli.run("report", results);
    assertEquals(1, report.exitCode());
    assertTrue(report.err().contains("it has several in " + results.resolve("runs")), report.err());
    Path search = folder.resolve("search.yaml");
    String space = BASE + "objective: loss\nspace: {lr: {choice: [1e-3, 2e-3]}}\n";
    Files.writeString(search, space.replace("model.onnx", "model.lora.onnx"));
    Cli searched = Cli.run("search", search, "-o", results);
    assertTrue(
        searched.err().contains(results + " is the folder of an experiment"), searched.err());
    assertTrue(
        Cli.run("experiment", search, "-o", results)
            .err()
            .contains(search + " is the file of a search, and not of an experiment"));
    assertTrue(
        Cli.run("search", file, "-o", results)
            .err()
            .contains(file + " is the file of an experiment, and not of a search"));
    assertTrue(
        Cli.run("train", "--config", search).err().contains(search + " is the file of a search"));
    Files.writeString(file, BASE + "runs: {d: {method: full}}");
    Cli other = Cli.run("experiment", file, "-o", results);
    assertEquals(1, other.exitCode());
    assertTrue(
        other.err().contains("has another experiment, that of " + file + ": of its runs (a-seed0"),
        other.err());
    assertEquals(rows, Files.readAllLines(results.resolve("results.csv")));
  }

  /** With what was asked for beside the file, which still holds for what is left. */
  @Test
  void stoppedByASignalItSaysHowToGoOn() throws Exception {
    Files.writeString(file, BASE + "runs: {a: {method: full, steps: 4000}}");
    Process process =
        Trainings.start(
            folder, "experiment", file.toString(), "-o", "a b", "--parallel", "1", "--force");
    while (process.isAlive() && !trainings.log().contains("begins: a")) {
      TimeUnit.MILLISECONDS.sleep(5);
    }
    process.destroy();
    assertEquals(143, process.waitFor(), trainings::log);
    String command = "lora-graph experiment %s -o 'a b' --parallel 1 --force\n".formatted(file);
    assertTrue(
        trainings.log().contains("stopped, 0 of 1 runs are done: go on with it: " + command),
        trainings::log);
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Object threads(Path run) {
    return RunConfiguration.entries(run.resolve("config.yaml")).get("threads");
  }

  /** Whatever becomes of the machine, or of what --parallel says: the last digits stay. */
  @Test
  void whatBeganWithSomeThreadsGoesOnWithThem() throws Exception {
    Path results = folder.resolve("results");
    Files.writeString(file, BASE + "runs: {one: {match: query}}");
    assertEquals(0, Cli.run("experiment", file, "-o", results, "--parallel", 64).exitCode());
    assertEquals(1, threads(results.resolve("runs/one-seed0")));
    Path state = results.resolve("experiment.json");
    Files.writeString(state, Files.readString(state).replace("\"threads\" : 1", "\"threads\" : 3"));
    Files.writeString(file, BASE + "runs: {one: {match: query}, two: {match: output}}");
    assertTrue(Experiment.of(file).plan(results).get(1).commands().get(1).contains("--threads 3"));
    assertTrue(Experiment.of(file).plan(results).get(0).commands().get(1).contains("--threads 1"));
    Cli again = Cli.run("experiment", file, "-o", results, "--parallel", 64);
    assertEquals(0, again.exitCode(), again.err());
    assertTrue(
        again.err().contains("the runs keep the 3 threads each that the experiment began with"),
        again.err());
    assertEquals(3, threads(results.resolve("runs/two-seed0")));
  }

  /** What a kill in the very first moment leaves is nobody else's. */
  @Test
  void aFirstWriteThatWasKilledIsBegunAgain() throws Exception {
    Path results = Files.createDirectory(folder.resolve("results"));
    Path left = results.resolve(".experiment.json.lora-0123456789ab.part");
    Files.writeString(left, "{");
    Files.createFile(results.resolve(".lock"));
    Files.writeString(file, BASE + "runs: {before: {method: none}}");
    Cli cli = Cli.run("experiment", file, "-o", results);
    assertEquals(0, cli.exitCode(), cli.err());
    assertFalse(Files.exists(left));
  }

  @Test
  void aProgramBuildsOne() {
    Experiment experiment =
        Experiment.builder()
            .model(folder.resolve("model.onnx"))
            .base("data", folder.resolve("train.jsonl"))
            .base("steps", 4)
            .run("lora", Map.of("match", "query"))
            .grid("rank", List.of(2, 4))
            .seeds(0, 1)
            .build();
    List<PlannedRun> plan = experiment.plan(folder.resolve("results"));
    assertEquals(
        List.of("lora-rank2 0", "lora-rank2 1", "lora-rank4 0", "lora-rank4 1"),
        plan.stream().map(run -> run.name() + " " + run.seed()).toList());
    assertTrue(plan.get(3).commands().get(0).contains("--rank 4 --seed 1"), plan.toString());
  }
}
