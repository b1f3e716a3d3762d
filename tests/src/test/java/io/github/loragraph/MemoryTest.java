package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.check.Oracle;
import io.github.loragraph.cli.Main;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Processes with too little memory end with one line that says what to do. */
class MemoryTest {
  private static final String SYSTEM = "lora-graph: out of memory: the system gave no more (";

  @TempDir Path folder;
  private Path model;

  @BeforeEach
  void inject() throws IOException {
    Path original = folder.resolve("model.onnx");
    Files.copy(Oracle.of("tiny-roberta").modelFile(), original);
    Cli.json("inject", original, "--match", "query", "--rank", 4);
    model = folder.resolve("model.lora.onnx");
  }

  @Test
  void ofTheHeap() throws Exception {
    Path data = folder.resolve("train.jsonl");
    try (BufferedWriter out = Files.newBufferedWriter(data)) {
      String ids = "7,".repeat(40) + "8";
      for (int i = 0; i < 200_000; i++) {
        out.write("{\"input_ids\":[%s],\"label\":%d}%n".formatted(ids, i % 2));
      }
    }
    String line =
        failed(
            "",
            "-Xmx40m",
            "train",
            model.toString(),
            "--data",
            data.toString(),
            "-o",
            folder.resolve("run").toString());
    assertTrue(
        line.matches(
            "lora-graph: out of memory: Java's heap is full at \\d+ MB: give it more with"
                + " JDK_JAVA_OPTIONS=-Xmx256m, or a smaller --micro-batch or --batch-size or"
                + " --max-length"),
        line);
    assertTrue(Files.notExists(folder.resolve("run")));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void ofOnnxRuntime() throws Exception {
    String line =
        failed(
            "ulimit -v 6000000; ",
            "-Xmx100m",
            "benchmark",
            model.toString(),
            "--batch-size",
            "2000000",
            "--sequence",
            "16");
    assertTrue(line.startsWith(SYSTEM), line);
    assertTrue(line.contains("take a smaller --batch-size or --sequence"), line);
  }

  @Test
  void ofOneTensor() {
    Cli run = Cli.run("benchmark", model, "--batch-size", 2_000_000_000, "--sequence", 16);
    assertEquals(1, run.exitCode());
    assertTrue(
        run.err()
            .contains(
                "'input_ids' is of shape [2000000000, 16], too large to be made up: take a smaller --batch-size or --sequence"),
        run.err());
    assertEquals(1, run.err().lines().count(), run.err());
  }

  /**
   * The one line of a command that fails.
   *
   * @param limit what a shell does first
   */
  private String failed(String limit, String heap, String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    if (!limit.isEmpty()) {
      command.addAll(List.of("sh", "-c", limit + "exec \"$@\"", "sh"));
    }
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(heap, "-XX:+UseSerialGC", "-XX:MaxDirectMemorySize=1t"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of(arguments));
    Path errors = folder.resolve("errors");
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(errors.toFile())
            .start();
    assertTrue(process.waitFor(180, TimeUnit.SECONDS));
    List<String> lines = Files.readAllLines(errors);
    assertEquals(1, process.exitValue(), lines.toString());
    assertEquals(1, lines.size(), lines.toString());
    return lines.get(0);
  }
}
