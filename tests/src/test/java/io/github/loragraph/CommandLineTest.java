package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.check.OrtRun;
import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands, end to end, on a tiny model. */
class CommandLineTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  private Path model;

  @BeforeEach
  void copyModel() throws IOException {
    Oracle oracle = Oracle.of("tiny-roberta");
    model = folder.resolve("model.onnx");
    Files.copy(oracle.modelFile(), model);
    Files.copy(Fixtures.file("tiny-roberta/config.json"), folder.resolve("config.json"));
  }

  @Test
  void inspectCountsAndLists() {
    JsonNode result = Cli.json("inspect", model, "--verbose");
    assertEquals(25986, result.get("totalParameters").asLong());
    assertEquals(14, result.get("linears").size());
    assertEquals(25986, sum(result.get("parameters")));
    Cli text = Cli.run("inspect", model, "--match", "query");
    assertTrue(text.out().contains("roberta.encoder.layer.1.attention.self.query"));
    assertTrue(
        text.out().contains("Total parameters: 25,986, thereof learnable: 25,986 (100.0000%)"));
  }

  private static long sum(JsonNode parameters) {
    long sum = 0;
    for (JsonNode p : parameters) {
      sum += p.get("count").asLong();
    }
    return sum;
  }

  @Test
  void injectThenRemoveGivesTheModelBack() {
    JsonNode injected = Cli.json("inject", model, "--match", "query|output", "--rank", 4);
    assertEquals(6, injected.get("adapted").size());
    assertEquals(27778, injected.get("totalParameters").asLong());
    assertEquals(2914, injected.get("trainableParameters").asLong());
    assertTrue(injected.get("maxOutputDifference").asDouble() <= 1e-6);
    Path adapted = folder.resolve("model.lora.onnx");
    Path removed = folder.resolve("removed.onnx");
    assertEquals(6, Cli.json("remove", adapted, "-o", removed).get("removed").asInt());
    assertSameModel(OnnxFile.read(model), OnnxFile.read(removed));
  }

  private static void assertSameModel(OnnxModel expected, OnnxModel actual) {
    byte[] a = OnnxFile.serialize(expected, t -> false);
    byte[] b = OnnxFile.serialize(actual, t -> false);
    assertTrue(Arrays.equals(a, b), "the models differ");
  }

  @Test
  void trainFollowsTheOracleThroughTheCommandLine() throws IOException {
    Oracle oracle = Oracle.of("tiny-roberta");
    Cli.json("inject", model, "--match", "query|output", "--rank", 4, "-o", folder + "/start.onnx");
    OnnxModel start = OnnxFile.read(folder.resolve("start.onnx"));
    oracle.adapters().forEach(start.graph()::putInitializer);
    Path adapted = folder.resolve("oracle.lora.onnx");
    OnnxFile.write(start, adapted, false);
    Path run = folder.resolve("run");

    JsonNode result =
        Cli.json(
            "train",
            adapted,
            "--data",
            writeBatch(oracle),
            "-o",
            run,
            "--steps",
            20,
            "--batch-size",
            3,
            "--lr",
            "1e-3",
            "--schedule",
            "constant",
            "--weight-decay",
            "0.01",
            "--weight-decay-on",
            "all",
            "--max-grad-norm",
            0,
            "--no-shuffle",
            "--log-every",
            1);
    assertEquals(20, result.get("steps").asInt());
    assertEquals("graph", result.get("engine").asText());

    double[] losses = oracle.numbers("/adamw/losses");
    List<String> lines = Files.readAllLines(run.resolve("metrics.jsonl"));
    assertEquals(losses.length, lines.size());
    for (int i = 0; i < losses.length; i++) {
      JsonNode line = JSON.readTree(lines.get(i));
      assertEquals(i + 1, line.get("step").asInt());
      assertEquals(losses[i], line.get("loss").asDouble(), 1e-4);
      assertEquals(1e-3, line.get("learningRate").asDouble(), 1e-12);
    }

    Path merged = folder.resolve("merged.onnx");
    JsonNode merge = Cli.json("merge", run, "-o", merged);
    assertEquals(6, merge.get("merged").asInt());
    assertTrue(merge.get("maxOutputDifference").asDouble() < 1e-4);
    float[] logits =
        OrtRun.run(
                OnnxFile.read(merged), oracle.inputs(), new Sessions(OrtRuntime.ofThisProcess(), 1))
            .get("logits");
    double[] expected = oracle.numbers("/merged_final/logits");
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], logits[i], 5e-5);
    }
    JsonNode eval = Cli.json("eval", merged, "--data", folder.resolve("batch.jsonl"));
    assertEquals(3, eval.get("examples").asInt());
    assertEquals(oracle.number("/adamw/loss_final"), eval.get("loss").asDouble(), 1e-4);
  }

  private Path writeBatch(Oracle oracle) throws IOException {
    JsonNode ids = oracle.get("/inputs/input_ids");
    JsonNode mask = oracle.get("/inputs/attention_mask");
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      lines.add(
          "{\"input_ids\":%s,\"attention_mask\":%s,\"label\":%d}"
              .formatted(ids.get(i), mask.get(i), oracle.get("/labels").get(i).asInt()));
    }
    return Files.write(folder.resolve("batch.jsonl"), lines);
  }

  @ParameterizedTest
  @ValueSource(strings = {"lora", "full", "head"})
  void everyMethodTrainsTheSameTwice(String method) throws IOException {
    Path data = writeBatch(Oracle.of("tiny-roberta"));
    Path adapted = folder.resolve("model.lora.onnx");
    Cli.json("inject", model, "--match", "query", "--rank", 2);
    for (String run : List.of("a", "b")) {
      Cli.json(
          "train",
          adapted,
          "--data",
          data,
          "--eval",
          data,
          "--steps",
          6,
          "--batch-size",
          2,
          "--method",
          method,
          "--threads",
          2,
          "--seed",
          7,
          "-o",
          folder.resolve(run));
    }
    assertArrayEquals(Runs.learned(folder.resolve("a")), Runs.learned(folder.resolve("b")));
  }

  @Test
  void aRunsConfigurationIsTakenBack() throws IOException {
    Path data = writeBatch(Oracle.of("tiny-roberta"));
    Path adapted = folder.resolve("model.lora.onnx");
    Cli.json("inject", model, "--match", "query", "--rank", 2);
    Path first = folder.resolve("first");
    Path second = folder.resolve("second");
    Cli.json("train", adapted, "--data", data, "--steps", 4, "--lr", "3e-3", "-o", first);
    JsonNode again = Cli.json("train", "--config", first.resolve("config.yaml"), "-o", second);
    assertEquals(4, again.get("steps").asInt());
    assertArrayEquals(Runs.learned(first), Runs.learned(second));
  }

  @Test
  void helpOfEveryCommandHasAnExample() {
    for (String name : LoraGraph.commandLine().getSubcommands().keySet()) {
      Cli help = Cli.run(name, "--help");
      assertEquals(0, help.exitCode());
      assertTrue(help.out().contains("Example"), name);
      assertFalse(help.out().contains("${"), () -> name + ": " + help.out());
    }
  }
}
