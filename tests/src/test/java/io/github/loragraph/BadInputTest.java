package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.check.Oracle;
import io.github.loragraph.fixtures.Fixtures;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Whatever is wrong is told in one line, with exit code 1 or 2, and nothing is left behind. */
class BadInputTest {
  @TempDir Path folder;
  private Path model;
  private Path adapted;

  /** Each is a test of its own; all of a method share its folder. */
  private final List<DynamicTest> cases = new ArrayList<>();

  @BeforeEach
  void makeModels() throws IOException {
    model = folder.resolve("model.onnx");
    adapted = folder.resolve("model.lora.onnx");
    Files.copy(Oracle.of("tiny-roberta").modelFile(), model);
    Files.copy(Fixtures.file("tiny-roberta/config.json"), folder.resolve("config.json"));
    Cli.json("inject", model, "--match", "query", "--rank", 2);
  }

  /** Adds a case: what is said has to have the words. */
  private void refused(int exitCode, String words, Object... arguments) {
    String command =
        Stream.of(arguments)
            .map(word -> word instanceof Path path ? path.getFileName() : word)
            .map(Object::toString)
            .collect(Collectors.joining(" "));
    cases.add(
        DynamicTest.dynamicTest(
            "'%s': %s".formatted(words, command), () -> check(exitCode, words, arguments)));
  }

  private void check(int exitCode, String words, Object... arguments) throws IOException {
    Set<String> before = files();
    Cli run = Cli.run(arguments);
    String command = Arrays.toString(arguments);
    assertEquals(exitCode, run.exitCode(), () -> command + ": " + run.err());
    assertTrue(run.err().contains(words), () -> command + ": " + run.err());
    assertEquals("", run.out(), command);
    String[] lines = run.err().strip().split("\n");
    assertEquals(exitCode, lines.length, () -> command + " says more than it should: " + run.err());
    assertTrue(lines[0].startsWith("lora-graph: "), run.err());
    assertEquals(before, files(), command);
  }

  private Set<String> files() throws IOException {
    try (Stream<Path> walk = Files.walk(folder)) {
      return walk.map(Path::toString).collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private Path file(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  @TestFactory
  List<DynamicTest> aFileThatIsNoModelIsRefused() throws IOException {
    refused(1, "no such model", "inspect", folder.resolve("missing.onnx"));
    refused(1, "is empty", "inspect", file("empty.onnx", ""));
    refused(1, "not an ONNX model", "inspect", file("text.onnx", "hello, world\n"));
    refused(1, "HTML", "inspect", file("page.onnx", "<!DOCTYPE html><html></html>"));
    refused(
        1,
        "git lfs pull",
        "inspect",
        file("lfs.onnx", "version https://git-lfs.github.com/spec/v1"));
    byte[] whole = Files.readAllBytes(model);
    for (int length : new int[] {20, 1000, whole.length / 2, whole.length - 1}) {
      Path truncated = folder.resolve("truncated-%d.onnx".formatted(length));
      Files.write(truncated, Arrays.copyOf(whole, length));
      refused(1, truncated.getFileName() + " is", "inspect", truncated);
    }
    return cases;
  }

  @TestFactory
  List<DynamicTest> anInjectionThatCannotBeIsRefused() throws IOException {
    refused(1, "nearest", "inject", model, "--match", "querry", "-o", folder.resolve("o.onnx"));
    refused(2, "no regular expression", "inject", model, "--match", "([");
    refused(1, "rank", "inject", model, "--match", "query", "--rank", 0, "--force");
    refused(1, "rank 33", "inject", model, "--match", "query", "--rank", 33, "--force");
    refused(1, "head only", "inject", model, "--match", "classifier", "--force");
    refused(1, "adapters already", "inject", adapted, "--match", "key");
    refused(1, "--force", "inject", model, "--match", "key");
    refused(1, "alpha", "inject", model, "--match", "key", "--alpha", "-1", "--force");
    refused(2, "--match", "inject", model);
    return cases;
  }

  @TestFactory
  List<DynamicTest> aModelWithoutAdaptersIsRefusedWhereTheyAreNeeded() throws IOException {
    refused(1, "no adapters", "merge", model);
    refused(1, "no adapters", "remove", model);
    Path data = file("d.jsonl", "{\"input_ids\":[0,5,2],\"label\":1}\n");
    refused(1, "no adapters", "train", model, "--data", data, "-o", folder.resolve("run"));
    return cases;
  }

  /** Adapters alone would be refused next. */
  @TestFactory
  List<DynamicTest> aModelWithoutHeadIsToldThatBeforeAllElse() throws IOException {
    Path data = file("d.tsv", "text\tlabel\na\t1\n");
    for (String method : List.of("lora", "full", "head")) {
      for (String words : List.of("has no head", "add-head")) {
        refused(
            1,
            words,
            "train",
            "all-MiniLM-L6-v2",
            "--method",
            method,
            "--data",
            data,
            "-o",
            folder.resolve("run"));
      }
    }
    return cases;
  }

  @TestFactory
  List<DynamicTest> aDataFileThatCannotBeReadIsRefused() throws IOException {
    refusedData("no such data file", folder.resolve("missing.tsv"));
    refusedData("no examples", file("heading.tsv", "text\tlabel\n"));
    refusedData("no examples", file("empty.jsonl", "\n\n"));
    refusedData("no column 'text'", file("column.tsv", "words\tlabel\nhello\t1\n"));
    refusedData("column.csv:1 has no column", file("column.csv", "words,label\nhello,1\n"));
    refusedData("short.tsv:3 has 1", file("short.tsv", "text\tlabel\na\t1\nb\n"));
    refusedData(
        "bad.jsonl:2 is not JSON", file("bad.jsonl", "{\"input_ids\":[0,2],\"label\":1}\n{\n"));
    refusedData("label '7'", file("label.jsonl", "{\"input_ids\":[0,5,2],\"label\":7}\n"));
    refusedData("has no 'label'", file("none.jsonl", "{\"input_ids\":[0,5,2]}\n"));
    refusedData("no input of the model", file("in.jsonl", "{\"ids\":[0,5,2],\"label\":1}\n"));
    refusedData("no list of numbers", file("n.jsonl", "{\"input_ids\":[\"a\"],\"label\":1}\n"));
    refusedData("tokenizer.json", file("text.tsv", "text\tlabel\nhello\t1\n"));
    refusedData("text alone, and labels are needed", file("data.txt", "hello"));
    refusedData("no .tsv, .csv", file("data.xls", "hello"));
    Path latin = folder.resolve("latin.tsv");
    Files.write(latin, "text\tlabel\ncaf\u00e9\t1\n".getBytes(StandardCharsets.ISO_8859_1));
    refusedData("not UTF-8", latin);
    String longRow = "{\"input_ids\":[0" + ",5".repeat(60) + "],\"label\":1}\n";
    refusedData("61 tokens", file("long.jsonl", longRow));
    return cases;
  }

  private void refusedData(String words, Path data) {
    refused(1, words, "train", adapted, "--data", data, "-o", folder.resolve("run"));
    refused(1, words, "eval", adapted, "--data", data);
  }

  private Path ignored() throws IOException {
    return file("ignored.jsonl", "{\"input_ids\":[0,5,2],\"label\":-100}\n");
  }

  @TestFactory
  List<DynamicTest> anOptionOfTrainingThatCannotBeIsRefused() throws IOException {
    Path data = file("d.jsonl", "{\"input_ids\":[0,5,2],\"label\":1}\n");
    Path run = folder.resolve("run");
    refused(1, "batch size", "train", adapted, "--data", data, "-o", run, "--batch-size", 0);
    refused(1, "learning rate", "train", adapted, "--data", data, "-o", run, "--lr", 0);
    refused(1, "steps", "train", adapted, "--data", data, "-o", run, "--steps", 0);
    refused(2, "--log-every", "train", adapted, "--data", data, "-o", run, "--log-every", "x");
    for (String option :
        List.of("--log-every", "--eval-every", "--checkpoint-every", "--threads")) {
      refused(2, "or 0 for ", "train", adapted, "--data", data, "-o", run, option + "=-1");
    }
    for (String option : List.of("--batch-size", "--sequence", "--steps", "--steps-per-call")) {
      refused(2, option + " must be 1 or more", "benchmark", adapted, option, 0);
    }
    Path written = file("negative.yaml", "data: %s\neval-every: -1\n".formatted(data));
    refused(1, "or 0 for none", "train", adapted, "--config", written, "-o", run);
    Path mined = folder.resolve("mined.tsv");
    refused(
        1,
        "-1 candidates cannot be passed over",
        "mine-negatives",
        "all-minilm-l6-v2",
        "--data",
        file("pairs.tsv", "anchor\tpositive\na\tb\n"),
        "--range-min=-1",
        "-o",
        mined);
    refused(
        1,
        "a margin below 0 is not possible: give 0 or more",
        "mine-negatives",
        "all-minilm-l6-v2",
        "--data",
        folder.resolve("pairs.tsv"),
        "--absolute-margin=-1",
        "-o",
        mined);
    refused(
        1,
        "class weights [1.0, -2.0]",
        "train",
        adapted,
        "--data",
        data,
        "-o",
        run,
        "--class-weights",
        "1,-2");
    refused(
        1,
        "--lora-dropout",
        "train",
        adapted,
        "--data",
        data,
        "-o",
        run,
        "--method",
        "head",
        "--lora-dropout",
        0.1);
    refused(
        1,
        "every bias already",
        "train",
        adapted,
        "--data",
        data,
        "-o",
        run,
        "--method",
        "full",
        "--train-bias");
    refused(1, "no NVIDIA driver", "train", adapted, "--data", data, "-o", run, "--device", "cuda");
    refused(1, "a label that counts", "eval", adapted, "--data", ignored());
    refused(1, "beta1", "train", adapted, "--data", data, "-o", run, "--beta1", 1);
    refused(2, "--engine", "train", adapted, "--data", data, "-o", run, "--engine", "x");
    refused(2, "--device", "train", adapted, "--data", data, "-o", run, "--device", "tpu");
    Path config = file("c.yaml", "learning-speed: 3\n");
    refused(
        1, "is it one of these", "train", adapted, "--data", data, "-o", run, "--config", config);
    Path taken = Files.createDirectories(folder.resolve("taken"));
    Files.writeString(taken.resolve("precious.txt"), "do not delete");
    refused(1, "--force", "train", adapted, "--data", data, "-o", taken);
    refused(1, "not the folder of a run", "train", adapted, "--data", data, "-o", taken, "--force");
    return cases;
  }

  @TestFactory
  List<DynamicTest> artifactsThatCannotBeMadeAreRefused() throws IOException {
    Path out = folder.resolve("artifacts");
    refused(
        2,
        "--optimizer sgd",
        "artifacts",
        adapted,
        "-o",
        out,
        "--optimizer",
        "sgd",
        "--beta1",
        0.8);
    refused(
        2,
        "'foo' is not one of: cross-entropy, token-cross-entropy, mse, bce",
        "artifacts",
        adapted,
        "-o",
        out,
        "--loss",
        "foo");
    String loss = "token-cross-entropy";
    for (String words : List.of("(for --loss " + loss, " needs a model", "add-head")) {
      refused(1, words, "artifacts", adapted, "-o", out, "--loss", loss);
    }
    for (String words : List.of("has no head", "add-head")) {
      refused(
          1,
          words,
          "artifacts",
          "all-MiniLM-L6-v2",
          "-o",
          out,
          "--method",
          "full",
          "--loss",
          "mse");
    }
    refused(1, "add-head", "artifacts", "all-MiniLM-L6-v2", "-o", out, "--method", "full");
    refused(
        1,
        "add-head",
        "artifacts",
        "all-MiniLM-L6-v2",
        "-o",
        out,
        "--method",
        "full",
        "--loss",
        "token-cross-entropy");
    Path data = file("d.jsonl", "{\"input_ids\":[0,5,2],\"label\":1}\n");
    Path run = folder.resolve("run");
    refused(
        1,
        "token-classification needs",
        "train",
        adapted,
        "--data",
        data,
        "-o",
        run,
        "--task",
        "token-classification");
    Path checkpoint = file("checkpoint", "no checkpoint at all");
    refused(1, "save or copy it again", "artifacts", "apply", checkpoint, adapted);
    return cases;
  }
}
