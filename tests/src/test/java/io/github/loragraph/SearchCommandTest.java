package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.models.RunConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Searches by the command line: 50 rows in batches of 10, two epochs, are 10 steps. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class SearchCommandTest {
  private static final int KILLS = 3;

  @TempDir Path folder;
  private Trainings trainings;
  private Path file;

  @BeforeEach
  void prepare() throws IOException {
    trainings = new Trainings(folder);
    file = file("");
  }

  /** The search, with one of its lines replaced. */
  private Path file(String line) throws IOException {
    String key = line.replaceFirst(":.*", "");
    String text =
        """
        model: model.lora.onnx
        base: {data: train.jsonl, eval: train.jsonl, epochs: 2, batch-size: 10, engine: graph, threads: 1}
        space: {lr: {log-uniform: [1e-4, 5e-2]}, weight-decay: {choice: [0, 0.1]}}
        trials: 2
        parallel: 2
        objective: loss
        pruning: asha
        reduction-factor: 2
        min-resource: 0.5
        """;
    return Files.writeString(
        folder.resolve("search.yaml"),
        line.isEmpty() ? text : text.replaceFirst("(?m)^" + key + ":.*$", line));
  }

  /** Without what the clock decides. */
  private static List<String> table(Path search) throws IOException {
    return Files.readAllLines(search.resolve("trials.csv")).stream()
        .map(line -> line.replaceFirst(",[0-9.]+(,[^,]*)$", "$1"))
        .toList();
  }

  /** The page has the words of the table, and the best first with its repeats. */
  private static void assertSameStatuses(Path search, List<String> table) throws IOException {
    List<String> shown = new ArrayList<>();
    for (List<String> row : ComparisonPageTest.tables(search.resolve("compare.html"))) {
      if (row.get(0).startsWith("trial ")) {
        shown.add(row.get(0) + ": " + row.get(3));
      }
    }
    List<String> expected = new ArrayList<>();
    for (String status : List.of("complete", "pruned")) {
      for (String row : table) {
        String[] cells = row.split(",");
        if (cells[1].equals(status)) {
          expected.add("trial %s: %s".formatted(cells[0], status));
          if (status.equals("complete")) {
            expected.add("trial %s with other seeds: complete".formatted(cells[0]));
          }
        }
      }
    }
    assertEquals(expected, shown.subList(0, expected.size()));
  }

  @Test
  void killedAtAnyMomentAndBegunAgainItEndsAsIfItNeverHadBeen() throws Exception {
    Path straight = folder.resolve("straight");
    JsonNode said = Cli.json("search", file, "-o", straight);
    assertEquals(2, said.path("trials").size());
    JsonNode best = said.path("best");
    assertEquals(3, best.path("repeats").size());
    double sum = 0;
    for (JsonNode repeat : best.path("repeats")) {
      sum += repeat.path("objective").asDouble();
    }
    assertEquals(sum / 3, best.path("mean").asDouble(), 1e-9);
    assertEquals("complete", best.path("status").asText());
    assertEquals(10, best.path("steps").asInt());
    assertEquals(20, said.path("stepsOfAll").asInt());
    assertTrue(said.path("steps").asInt() < 20, said::toString);
    List<String> table = table(straight);
    assertEquals("trial,status,lr,weight-decay,objective,steps,seconds,folder", table.get(0));
    assertEquals(3, table.size());

    assertSameStatuses(straight, table);
    assertEquals(1, RunConfiguration.entries(straight.resolve("best.yaml")).get("threads"));

    // As a user would: the best settings train to the bytes of the trial, which stopped on its way.
    Path again = folder.resolve("again");
    Cli trained = Cli.run("train", "--config", straight.resolve("best.yaml"), "-o", again);
    assertEquals(0, trained.exitCode(), trained.err());
    Path winner = Path.of(best.path("runFolder").asText());
    assertArrayEquals(Runs.learned(winner), Runs.learned(again));

    // Of pruned trials what was measured is kept, and what they would go on from is not.
    for (JsonNode trial : said.path("trials")) {
      Path run = Path.of(trial.path("runFolder").asText());
      assertTrue(Files.exists(run.resolve("metrics.jsonl")));
      assertFalse(Files.exists(run.resolve("checkpoints")));
    }
    byte[] before = Files.readAllBytes(straight.resolve("trials.csv"));
    Cli done = Cli.run("search", file, "-o", straight);
    assertEquals(0, done.exitCode(), done.err());
    assertFalse(done.err().contains("trial 1 of 2"), "nothing is done twice");
    assertArrayEquals(before, Files.readAllBytes(straight.resolve("trials.csv")));

    assertRefused(
        straight,
        "is of another search than the one that is asked for now: its trials was 2 and is 4",
        file("trials: 4"));
    file("");

    Path killed = folder.resolve("killed");
    Random random = new Random(Long.getLong("test.seed", System.nanoTime()));
    for (int kill = 0; kill < KILLS; kill++) {
      Process process = Trainings.start(folder, "search", file.toString(), "-o", killed.toString());
      if (process.waitFor(600 + random.nextInt(3000), TimeUnit.MILLISECONDS)) {
        break;
      }
      process.destroyForcibly().waitFor();
    }
    Cli end = Cli.run("search", file, "-o", killed);
    assertEquals(0, end.exitCode(), end.err());
    assertEquals(table, table(killed));
    assertEquals(
        Files.readString(straight.resolve("best.yaml")),
        Files.readString(killed.resolve("best.yaml")));
    try (Stream<Path> files = Files.walk(killed)) {
      assertEquals(
          List.of(), files.filter(f -> f.toString().matches(".*\\.(part|commit)")).toList());
    }
  }

  private HyperparameterSearch random(int parallel, Consumer<String> notes) {
    return HyperparameterSearch.builder(folder.resolve("model.lora.onnx").toString())
        .set("data", folder.resolve("train.jsonl").toString())
        .set("eval", folder.resolve("train.jsonl").toString())
        .set("batch-size", 10)
        .set("steps", 4)
        .set("engine", "graph")
        .logUniform("lr", 1e-4, 5e-2)
        .method("random")
        .objective("loss")
        .trials(2)
        .parallel(parallel)
        .build()
        .withNotes(notes);
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void stoppedByWhoRunsItItGoesOnWithTheSameObject() throws Exception {
    Path place = folder.resolve("random");
    List<String> notes = Collections.synchronizedList(new ArrayList<>());
    List<String> pages = Collections.synchronizedList(new ArrayList<>());
    Thread runs = Thread.currentThread();
    HyperparameterSearch search =
        random(
            1,
            line -> {
              notes.add(line);
              if (line.contains(" again, with seed ")) {
                pages.add(text(place.resolve("compare.html")));
              }
              if (notes.size() == 1) {
                runs.interrupt();
              }
            });
    assertFalse(search.run(place).isComplete());
    assertTrue(Thread.interrupted(), "the interrupt is not swallowed");
    for (String row : Files.readAllLines(place.resolve("trials.csv")).stream().skip(1).toList()) {
      assertTrue(row.contains(",unfinished,"), row);
      String run = row.substring(row.lastIndexOf(',') + 1);
      assertTrue(run.isEmpty() || Files.exists(place.resolve(run)), row);
    }
    Path best = place.resolve("best.yaml");
    Cli early = Cli.run("train", "--config", best, "-o", folder.resolve("early"));
    assertEquals(1, early.exitCode(), early.err());
    assertTrue(
        early.err().contains(best + " is not there yet: it is written where a search ends"),
        early.err());
    assertTrue(
        early.err().contains("go on with it: lora-graph search FILE -o " + place), early.err());
    search.stop();
    assertFalse(search.run(place).isComplete());

    random(2, notes::add).check(place);
    String all = Files.readString(place.resolve("search.yaml"));
    assertTrue(all.contains("threads: "), all);
    Path model = folder.resolve("model.lora.onnx");
    byte[] before = Files.readAllBytes(model);
    Cli.json("inject", folder.resolve("model.onnx"), "--match", "key", "-o", model, "--force");
    String refused =
        assertThrows(LoraGraphException.class, () -> random(1, notes::add).check(place))
            .getMessage();
    assertTrue(refused.contains("the content of its model has changed"), refused);
    Files.write(model, before);

    assertTrue(search.run(place).isComplete());
    assertTrue(
        notes.get(notes.size() - 1).matches("trial [12] again, with seed [123]"), "" + notes);
    assertTrue(
        notes.stream().anyMatch(line -> line.matches(".*; about [0-9]+ s left")), "" + notes);
    assertTrue(pages.get(0).contains("2 trials by"), "the page goes along with the search");
    assertFalse(pages.get(0).contains("with other seeds"));
  }

  /**
   * What was said in place of the file is part of the command: without it, it is another search.
   */
  @Test
  void stoppedByASignalItSaysWhatIsDoneAndHowToGoOn() throws Exception {
    file(
        "base: {data: train.jsonl, eval: train.jsonl, steps: 9999, batch-size: 10, engine: graph, threads: 1}");
    Process process =
        Trainings.start(
            folder, "search", "search.yaml", "-o", "a b", "--trials", "3", "--parallel", "1");
    while (process.isAlive() && !trainings.log().contains("trial 1 of 3")) {
      TimeUnit.MILLISECONDS.sleep(5);
    }
    process.destroy();
    assertEquals(143, process.waitFor(), trainings::log);
    String log = trainings.log();
    assertTrue(
        log.contains(
            "stopped, 0 of 3 trials are done: go on with it: lora-graph search search.yaml -o 'a b' --trials 3 --parallel 1\n"),
        log);
  }

  @Test
  void everythingIsCheckedBeforeTheFirstTrial() throws Exception {
    Path search = folder.resolve("search");
    assertRefused(search, "search.yaml: space.lr", file("space: {lr: {choice: [fast]}}"));
    assertRefused(
        search,
        "search.yaml: base.rnak is no option",
        file("base: {data: train.jsonl, eval: train.jsonl, rnak: 2}"));
    assertRefused(search, "no such file", file("base: {data: nowhere.jsonl, eval: train.jsonl}"));
    assertRefused(
        search,
        "objective: 'f1' is no figure of classification: macroF1 or weightedF1?",
        file("objective: f1"));
    assertRefused(
        search,
        "objective: acuracy is nothing that is measured: accuracy?",
        file("objective: acuracy"));
    assertRefused(search, "search.yaml: trials: a search has 1 trial", file("trials: 0"));
    assertRefused(search, "search.yaml: min-resource: the first rung", file("min-resource: 2"));
    assertRefused(
        search, "search.yaml: trials: '4' is a text: leave its quotes out", file("trials: '4'"));
    Path fresh = file("model: model.onnx");
    Files.writeString(
        fresh,
        Files.readString(fresh)
            .replaceFirst("space:.*", "space: {match: {choice: [query, quary]}}"));
    assertRefused(search, "'quary' matches no Linear layer", fresh);
    Files.writeString(
        fresh,
        Files.readString(fresh)
            .replaceFirst(
                "space:.*", "space: {method: {choice: [lora, full]}, match: {choice: [query]}}"));
    assertRefused(
        search, "space.match: a run of method full puts no adapters on: say 'when", fresh);
    assertFalse(Files.exists(search));
    Cli dry = Cli.run("search", file(""), "-o", search, "--dry-run", "--trials", 12);
    assertEquals(0, dry.exitCode(), dry.err());
    assertTrue(dry.out().contains("12 trials, 2 at once; measured after 50.0 %, all"), dry.out());
    assertFalse(Files.exists(search));
    Files.createDirectories(search);
    Files.writeString(search.resolve("mine.txt"), "kept");
    assertRefused(
        search, "has other files, and no search: choose another folder with -o", file(""));
    assertTrue(Files.exists(search.resolve("mine.txt")));
  }

  private static void assertRefused(Path search, String words, Path file) {
    Cli cli = Cli.run("search", file, "-o", search);
    assertEquals(1, cli.exitCode(), cli.err());
    assertTrue(cli.err().contains(words), cli.err());
    assertEquals(1, cli.err().lines().count(), cli.err());
  }
}
