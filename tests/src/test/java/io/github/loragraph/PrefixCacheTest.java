package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.onnx.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A run over what frozen layers made of its examples once is the run over the examples. */
class PrefixCacheTest {
  /** Some roundings of single precision, over the steps of a run. */
  private static final float SAME = 2e-5f;

  @TempDir Path folder;

  /** Rows of several lengths. */
  private Path data;

  @BeforeEach
  void write() throws Exception {
    data = new Trainings(Files.createDirectory(folder.resolve("data"))).data();
  }

  String engine() {
    return "graph";
  }

  private Cli train(Path model, Path run, Object... more) throws Exception {
    List<Object> all = new ArrayList<>(List.of("train", model, "--data", data, "--epochs", 3));
    all.addAll(List.of("--batch-size", 7, "--accumulate", 2, "--threads", 1, "--log-every", 1));
    all.addAll(List.of("--eval-split", 0.2, "--eval-every", "epoch", "--checkpoint-every", 2));
    all.addAll(List.of("--engine", engine(), "-o", run));
    all.addAll(List.of(more));
    return Cli.run(all.toArray());
  }

  /** With adapters in the last of its two layers. */
  private Path model() throws Exception {
    Path original = folder.resolve("model.onnx");
    Files.copy(Oracle.of("tiny-roberta").modelFile(), original);
    Cli.json("inject", original, "--match", "query|output", "--layers", 1, "--rank", 4);
    return folder.resolve("model.lora.onnx");
  }

  private static void assertClose(Path expected, Path actual) throws Exception {
    Map<String, Tensor> tensors = Runs.model(expected).graph().initializers();
    Map<String, Tensor> others = Runs.model(actual).graph().initializers();
    assertEquals(tensors.keySet(), others.keySet());
    tensors.forEach(
        (name, t) -> {
          if (t.elementType().isFloatingPoint()) {
            assertArrayEquals(t.toFloats(), others.get(name).toFloats(), SAME, name);
          }
        });
    assertSameLosses(expected, actual);
    assertEquals(
        Runs.record(expected).path("data").path("paddingShare"),
        Runs.record(actual).path("data").path("paddingShare"));
  }

  private static void assertSameLosses(Path expected, Path actual) throws Exception {
    List<String> figures = Trainings.figures(expected);
    List<String> same = Trainings.figures(actual);
    assertEquals(figures.size(), same.size());
    ObjectMapper json = new ObjectMapper();
    for (int i = 0; i < figures.size(); i++) {
      JsonNode one = json.readTree(figures.get(i));
      JsonNode other = json.readTree(same.get(i));
      assertEquals(one.path("step"), other.path("step"));
      assertEquals(one.path("loss").asDouble(), other.path("loss").asDouble(), SAME);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"lora", "head"})
  void isThePlainRun(String method) throws Exception {
    Path model = model();
    Path plain = folder.resolve("plain");
    Path cached = folder.resolve("cached");
    Object[] how = {"--method", method, "--lr", "1e-3"};
    Cli said = train(model, plain, how);
    assertEquals(0, said.exitCode(), said.err());
    List<Object> more = new ArrayList<>(List.of(how));
    more.add("--cache-prefix");
    said = train(model, cached, more.toArray());
    assertEquals(0, said.exitCode(), said.err());
    assertTrue(
        said.err()
            .contains("the frozen part of the model is computed once for each of 40 examples"),
        said.err());
    assertClose(plain, cached);
    assertTrue(
        Files.readString(cached.resolve("config.yaml")).contains("cachePrecision: \"fp32\""));
    try (var files = Files.list(cached)) {
      assertFalse(files.anyMatch(file -> file.toString().endsWith(".states")));
    }

    Path stopped = folder.resolve("stopped");
    more.addAll(List.of("--stop-after", 4));
    assertEquals(0, train(model, stopped, more.toArray()).exitCode());
    Cli on = Cli.run("train", "--resume", stopped);
    assertEquals(0, on.exitCode(), on.err());
    assertArrayEquals(Runs.learned(cached), Runs.learned(stopped));
    // Where a run is asked to stop it evaluates.
    List<String> figures = new ArrayList<>(Trainings.figures(stopped));
    assertTrue(figures.removeIf(line -> line.contains("\"step\":4") && line.contains("evalLoss")));
    assertEquals(Trainings.figures(cached), figures);
  }

  /** Its batches are cut by examples; of tokens what is trained knows nothing. */
  @Test
  void inPieces() throws Exception {
    Path model = model();
    Path plain = folder.resolve("plain");
    Path pieces = folder.resolve("pieces");
    assertEquals(0, train(model, plain, "--micro-batch", "all").exitCode());
    Cli said = train(model, pieces, "--cache-prefix", "--micro-batch", 3);
    assertEquals(0, said.exitCode(), said.err());
    assertEquals("3", Runs.record(pieces).get("microBatch").asText());
    assertSameLosses(plain, pieces);
    Path tokens = folder.resolve("tokens");
    said = train(model, tokens, "--cache-prefix", "--micro-batch", "8-tokens");
    assertTrue(
        said.err()
            .contains(
                "micro-batches (8-tokens) are not possible: what is trained takes no tokens, so each batch is computed in one piece"),
        said.err());
    assertEquals("all", Runs.record(tokens).get("microBatch").asText());
  }

  @Test
  void sixteenBitsRound() throws Exception {
    Path model = model();
    Path exact = folder.resolve("exact");
    Path half = folder.resolve("half");
    assertEquals(0, train(model, exact, "--cache-prefix").exitCode());
    Cli said = train(model, half, "--cache-prefix", "--cache-precision", "fp16");
    assertEquals(0, said.exitCode(), said.err());
    assertTrue(said.err().contains("rounded to 16 bits"), said.err());
    assertTrue(Files.readString(half.resolve("config.yaml")).contains("cachePrecision: \"fp16\""));
    double loss = Runs.record(exact).path("finalTrainLoss").asDouble();
    double other = Runs.record(half).path("finalTrainLoss").asDouble();
    assertEquals(loss, other, 1e-2 * Math.max(1, Math.abs(loss)));
    assertFalse(Arrays.equals(Runs.learned(exact), Runs.learned(half)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"streaming", "lora-dropout", "label-smoothing"})
  void togetherWith(String option) throws Exception {
    Path model = model();
    Object[] how =
        switch (option) {
          case "streaming" -> new Object[] {"--streaming"};
          case "lora-dropout" -> new Object[] {"--lora-dropout", 0.2};
          default -> new Object[] {"--label-smoothing", 0.1};
        };
    Path plain = folder.resolve("plain");
    Path cached = folder.resolve("cached");
    assertEquals(0, train(model, plain, how).exitCode());
    List<Object> more = new ArrayList<>(List.of(how));
    more.add("--cache-prefix");
    Cli said = train(model, cached, more.toArray());
    assertEquals(0, said.exitCode(), said.err());
    assertClose(plain, cached);
  }

  @Test
  void whereNothingIsFrozenBelow() throws Exception {
    Cli said = train(model(), folder.resolve("run"), "--method", "full", "--cache-prefix");
    assertEquals(1, said.exitCode());
    assertTrue(
        said.err().contains("no part of the model comes before what is trained"), said.err());
  }
}
