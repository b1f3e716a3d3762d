package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.task.Tasks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A share that is held out is what two files would be, and no class and no group loses by it. */
class EvalSplitTest {
  @TempDir Path folder;

  @Test
  void aRunIsThatOnTheTwoFiles() throws Exception {
    Trainings trainings = new Trainings(folder);
    List<String> lines = Files.readAllLines(trainings.data());
    HeldOutSplit cut =
        HeldOutSplit.of(Dataset.file(trainings.data()), Tasks.CLASSIFICATION, 0.3, 5);
    List<String> left = new ArrayList<>();
    List<String> held = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      (cut.held().get(i) ? held : left).add(lines.get(i));
    }
    assertEquals(15, held.size());
    Path train = Files.write(folder.resolve("left.jsonl"), left);
    Path dev = Files.write(folder.resolve("held.jsonl"), held);
    List<Object> usual =
        List.of("--steps", 12, "--eval-every", 4, "--max-train-examples", 30, "--seed", 5);
    Path one = folder.resolve("one");
    Path two = folder.resolve("two");
    Cli said = train(trainings, usual, trainings.data(), one, "--eval-split", 0.3);
    train(trainings, usual, train, two, "--eval", dev);
    assertArrayEquals(Runs.learned(two), Runs.learned(one));
    assertEquals(Trainings.figures(two), Trainings.figures(one));
    assertTrue(
        said.err().contains("held out: 15 of 50 examples, drawn by the seed (0 "), said.err());
    assertTrue(Files.readString(one.resolve("config.yaml")).contains("evalSplit: 0.3"));

    Path streamed = folder.resolve("streamed");
    train(trainings, usual, trainings.data(), streamed, "--eval-split", 0.3, "--streaming");
    assertArrayEquals(Runs.learned(two), Runs.learned(streamed));

    Path stopped = folder.resolve("stopped");
    train(trainings, usual, trainings.data(), stopped, "--eval-split", 0.3, "--stop-after", 8);
    assertEquals(0, Cli.run("train", "--resume", stopped).exitCode());
    assertArrayEquals(Runs.learned(two), Runs.learned(stopped));
    assertEquals(Trainings.figures(two), Trainings.figures(stopped));
    assertEquals(Runs.record(one).path("data"), Runs.record(stopped).path("data"));
    assertTrue(Runs.record(one).path("data").path("paddingShare").asDouble() > 0);

    // The same rows are held out of a training from another seed.
    List<Object> other = new ArrayList<>(usual);
    other.set(other.indexOf("--seed") + 1, 6);
    Path otherFiles = folder.resolve("other-files");
    train(trainings, other, train, otherFiles, "--eval", dev);
    Path drawn = folder.resolve("drawn");
    List<Object> split = List.of("--eval-split", 0.3, "--eval-split-seed", 5);
    train(trainings, with(other, split), trainings.data(), drawn, "--stop-after", 8);
    assertEquals(0, Cli.run("train", "--resume", drawn).exitCode());
    assertArrayEquals(Runs.learned(otherFiles), Runs.learned(drawn));
    assertEquals(Trainings.figures(otherFiles), Trainings.figures(drawn));
    Path more = folder.resolve("more");
    Cli goesOn = Cli.run("train", "--continue-from", drawn, "--epochs", 1, "--seed", 7, "-o", more);
    assertEquals(0, goesOn.exitCode(), goesOn.err());
    assertTrue(goesOn.err().contains("held out: 15 of 50 examples"), goesOn.err());
    Cli away = Cli.run("train", "--continue-from", drawn, "--epochs", 1, "--eval", dev, "--force");
    assertEquals(0, away.exitCode(), away.err());
    Cli alone = Cli.run("train", trainings.model(), "--data", dev, "--eval-split-seed", 1);
    assertEquals(2, alone.exitCode());
    assertTrue(alone.err().contains("draws what --eval-split holds out"), alone.err());
  }

  private static List<Object> with(List<Object> arguments, List<Object> more) {
    List<Object> all = new ArrayList<>(arguments);
    all.addAll(more);
    return all;
  }

  private static Cli train(
      Trainings trainings, List<Object> usual, Path data, Path run, Object... more) {
    List<Object> all = new ArrayList<>(List.of("train", trainings.model(), "--data", data));
    all.addAll(usual);
    all.addAll(List.of("--threads", 1, "-o", run));
    all.addAll(List.of(more));
    Cli cli = Cli.run(all.toArray());
    assertEquals(0, cli.exitCode(), cli.err());
    return cli;
  }

  /** Sizes that no share divides: each class gets its share, rounded, and all together theirs. */
  @Test
  void classesAreHeldOutAlike() throws IOException {
    Map<String, Integer> sizes = new TreeMap<>(Map.of("a", 7, "b", 30, "c", 1, "d", 61, "e", 2));
    List<Example> examples = new ArrayList<>();
    sizes.forEach(
        (name, size) -> {
          for (int i = 0; i < size; i++) {
            examples.add(Example.of(name + " " + i, name));
          }
        });
    Dataset data = Dataset.of(examples);
    Set<BitSet> draws = new java.util.HashSet<>();
    for (int seed = 0; seed < 20; seed++) {
      for (double share : List.of(0.1, 0.25, 0.5, 0.9)) {
        HeldOutSplit split = HeldOutSplit.of(data, Tasks.CLASSIFICATION, share, seed);
        int wanted = (int) Math.round(share * examples.size());
        assertEquals(wanted, split.held().cardinality(), 1, "share " + share);
        split
            .byClass()
            .forEach(
                (name, count) -> {
                  double exact = share * sizes.get(name);
                  assertTrue(Math.abs(count - exact) <= 1 || count == sizes.get(name) - 1, name);
                  assertTrue(count < sizes.get(name), "one of each class stays");
                });
        assertEquals(split, HeldOutSplit.of(data, Tasks.CLASSIFICATION, share, seed));
        if (share == 0.25) {
          draws.add(split.held());
        }
      }
    }
    assertEquals(20, draws.size(), "a seed is a draw");
  }

  @Test
  void whatBelongsTogetherStaysTogether() throws IOException {
    StringBuilder lines = new StringBuilder("text\ttext_pair\tlabel\n");
    for (int i = 0; i < 40; i++) {
      lines.append("query %d\tdocument %d\t%d\n".formatted(i % 13, i, i % 2));
    }
    Path file = Files.writeString(folder.resolve("pairs.tsv"), lines);
    Dataset.Split ranked = Dataset.file(file).split(Task.RERANK, 0.3, 1);
    Dataset.Split embedded = Dataset.file(file).split(Task.EMBEDDING, 0.3, 1);
    Set<String> trained = new TreeSet<>();
    Set<String> heldOut = new TreeSet<>();
    var none = io.github.loragraph.models.RunDefaults.NONE;
    ranked.training().pairs(true, none, n -> {}).forEach(row -> trained.add(row.text()));
    ranked.heldOut().pairs(true, none, n -> {}).forEach(row -> heldOut.add(row.text()));
    assertEquals(13, trained.size() + heldOut.size());
    assertEquals(4, heldOut.size());
    trained.clear();
    heldOut.clear();
    embedded.training().groups(none, n -> {}).forEach(g -> trained.add(g.anchor().text()));
    embedded.heldOut().groups(none, n -> {}).forEach(g -> heldOut.add(g.anchor().text()));
    assertEquals(13, trained.size() + heldOut.size());
    assertEquals(4, heldOut.size());
  }

  private static List<String> labels(Dataset data) {
    return data.labels(line -> {}).stream().map(row -> row.place() + row.label()).toList();
  }

  /** Three parts of one file: what is held out of what is left, and what is left of that. */
  @Test
  void whatIsLeftIsDividedAgain() throws IOException {
    Dataset file = Dataset.file(new Trainings(folder).data());
    Dataset.Split first = file.split(Task.CLASSIFICATION, 0.3, 1);
    Dataset.Split second = first.training().split(Task.CLASSIFICATION, 0.4, 2);
    List<String> parts = new ArrayList<>(labels(first.heldOut()));
    parts.addAll(labels(second.heldOut()));
    parts.addAll(labels(second.training()));
    assertEquals(50, parts.size());
    assertEquals(Set.copyOf(labels(file)), Set.copyOf(parts));
    Set<String> checksums = new TreeSet<>();
    for (Dataset part : List.of(file, first.training(), second.training(), second.heldOut())) {
      checksums.add(part.checksum());
    }
    assertEquals(4, checksums.size(), "other rows are other data");
    assertEquals(
        first.training().checksum(), file.split(Task.CLASSIFICATION, 0.3, 1).training().checksum());
    assertThrows(
        LoraGraphException.class,
        () -> second.training().check(Optional.empty(), Optional.empty(), line -> {}));
  }

  /** A run on one part is gone on with on that one alone. */
  @Test
  void aRunKnowsItsPart() throws IOException {
    Trainings trainings = new Trainings(folder);
    Dataset file = Dataset.file(trainings.data());
    Path run = folder.resolve("run");
    TrainingArguments arguments =
        TrainingArguments.builder().outputDir(run).maxSteps(4).stopAfterSteps(2).build();
    Model model = Model.open(trainings.model());
    Dataset part = file.split(Task.CLASSIFICATION, 0.3, 1).training();
    assertThrows(TrainingCancelledException.class, () -> model.train(part, arguments));
    TrainingArguments further =
        TrainingArguments.builder().outputDir(run).maxSteps(4).resumeFromCheckpoint(true).build();
    Dataset other = file.split(Task.CLASSIFICATION, 0.3, 2).training();
    LoraGraphException e =
        assertThrows(LoraGraphException.class, () -> model.train(other, further));
    assertTrue(e.getMessage().contains("has changed since the run began"), e.getMessage());
    Cli cli = Cli.run("train", "--resume", run);
    assertTrue(cli.err().contains("only that program can go on with it"), cli.err());
    assertEquals(4, model.train(part, further).steps());
  }

  @Test
  void whatCannotBe() throws IOException {
    Trainings trainings = new Trainings(folder);
    Path data = trainings.data();
    Cli both =
        Cli.run(
            "train",
            trainings.model(),
            "--data",
            data,
            "--eval",
            data,
            "--eval-split",
            0.1,
            "-o",
            folder.resolve("run"));
    assertEquals(2, both.exitCode());
    assertTrue(both.err().contains("leave one of the two out"), both.err());
    for (Object share : List.of(0, 1, -1, "nan")) {
      Cli cli =
          Cli.run(
              "train",
              trainings.model(),
              "--data",
              data,
              "--eval-split",
              share,
              "-o",
              folder.resolve("run"));
      assertEquals(1, cli.exitCode() > 0 ? 1 : 0, cli.err());
      assertTrue(cli.err().contains("--eval-split"), cli.err());
    }
    Dataset one = Dataset.of(List.of(Example.of("a", "x")));
    LoraGraphException e =
        assertThrows(LoraGraphException.class, () -> one.split(Task.CLASSIFICATION, 0.5, 0));
    assertTrue(e.getMessage().contains("has 1 examples, too few"), e.getMessage());
    JsonNode said =
        new ObjectMapper()
            .readTree(
                Cli.run(
                        "train",
                        trainings.model(),
                        "--data",
                        data,
                        "--eval-split",
                        0.2,
                        "--steps",
                        2,
                        "--json",
                        "--threads",
                        1,
                        "-o",
                        folder.resolve("run"))
                    .out());
    assertTrue(said.path("eval").has("accuracy"), said::toString);
  }
}
