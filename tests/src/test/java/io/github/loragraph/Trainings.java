package io.github.loragraph;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.check.Oracle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** Trainings in processes of their own, which tests stop, of a small model in a folder. */
final class Trainings {
  private static final String LOG = "process.log";

  private final Path folder;
  private final Path model;
  private final Path data;

  Trainings(Path folder) throws IOException {
    this.folder = folder;
    Path original = folder.resolve("model.onnx");
    Files.copy(Oracle.of("tiny-roberta").modelFile(), original);
    Cli.json("inject", original, "--match", "query|output", "--rank", 4);
    model = folder.resolve("model.lora.onnx");
    data = rows(folder.resolve("train.jsonl"), 50, 3, 8, 5);
  }

  /**
   * A file of rows of tokens of two classes, each of a length of its own from a shortest one on.
   */
  static Path rows(Path file, int count, int shortest, int lengths, long seed) throws IOException {
    Random random = new Random(seed);
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < count; i++) {
      int[] ids = random.ints(shortest + random.nextInt(lengths), 4, 200).toArray();
      lines.append("{\"input_ids\":%s,\"label\":%d}\n".formatted(Arrays.toString(ids), ids[0] % 2));
    }
    return Files.writeString(file, lines);
  }

  /** The model with adapters. */
  Path model() {
    return model;
  }

  /** 50 rows of several lengths. */
  Path data() {
    return data;
  }

  /** With relative paths, which a run must not keep: it may be gone on with from elsewhere. */
  Process begin(String engine, Path run, int steps, int checkpointEvery, String... more)
      throws IOException {
    List<String> arguments = new ArrayList<>();
    Collections.addAll(
        arguments,
        "train",
        model.getFileName().toString(),
        "--data",
        data.getFileName().toString(),
        "--eval",
        data.getFileName().toString(),
        "--eval-every",
        "90",
        "--steps",
        Integer.toString(steps),
        "--batch-size",
        "8",
        "--accumulate",
        "2",
        "--lora-dropout",
        "0.1",
        "--log-every",
        "3",
        "--checkpoint-every",
        Integer.toString(checkpointEvery),
        "--threads",
        "1",
        "--engine",
        engine,
        "-o",
        run.getFileName().toString());
    Collections.addAll(arguments, more);
    return start(folder, arguments.toArray(String[]::new));
  }

  static Process start(Path directory, String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "-cp",
                System.getProperty("java.class.path"),
                "io.github.loragraph.cli.Main"));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(HearingSignals.of(command))
        .directory(directory.toFile())
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(directory.resolve(LOG).toFile())
        .start();
  }

  /** What the last process said. */
  String log() {
    try {
      return Files.readString(folder.resolve(LOG));
    } catch (IOException e) {
      return e.toString();
    }
  }

  static boolean waitForStep(Process process, Path run, int step) throws Exception {
    while (lastStep(run) < step) {
      if (!process.isAlive()) {
        return false;
      }
      TimeUnit.MILLISECONDS.sleep(2);
    }
    return true;
  }

  static int lastStep(Path run) throws IOException {
    Path metrics = run.resolve("metrics.jsonl");
    if (!Files.exists(metrics)) {
      return 0;
    }
    String text = Files.readString(metrics);
    int end = text.lastIndexOf('\n');
    if (end < 0) {
      return 0;
    }
    String line = text.substring(text.lastIndexOf('\n', end - 1) + 1, end);
    return new ObjectMapper().readTree(line).get("step").asInt();
  }

  /** The metrics without what depends on the clock. */
  static List<String> figures(Path run) throws IOException {
    List<String> figures = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      JsonNode node = new ObjectMapper().readTree(line);
      ((ObjectNode) node).remove("samplesPerSecond");
      figures.add(node.toString());
    }
    return figures;
  }
}
