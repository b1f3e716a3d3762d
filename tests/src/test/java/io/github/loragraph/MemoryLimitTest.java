package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.OnnxFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whole runs below a limit of memory, against the same without one: rows of several lengths, in
 * batches of which the last of an epoch is smaller.
 */
class MemoryLimitTest {
  /** Some roundings of single precision, over the steps of a run. */
  private static final float SAME = 1e-5f;

  private static final Pattern ENOUGH = Pattern.compile("the training may take ([0-9.]+) GB");

  @TempDir Path folder;
  private Trainings trainings;

  TrainingArguments.Engine engine() {
    return TrainingArguments.Engine.GRAPH;
  }

  @BeforeEach
  void prepare() throws Exception {
    assumeTrue(Files.exists(Path.of("/proc/self/status")));
    trainings = new Trainings(folder);
  }

  private Object[] arguments(String name, Path model, Path data, Object... more) {
    List<Object> all = new ArrayList<>(List.of("train", model, "--data", data, "--epochs", 2));
    all.addAll(List.of("--engine", engine().name().toLowerCase(Locale.ROOT).replace('_', '-')));
    all.addAll(List.of("--threads", 1, "--lr", "1e-3", "--epsilon", "1e-4", "--log-every", 1));
    all.addAll(List.of("-o", folder.resolve(name)));
    all.addAll(List.of(more));
    return all.toArray();
  }

  private Path train(String name, Object... more) {
    Cli cli = Cli.run(arguments(name, trainings.model(), trainings.data(), more));
    assertEquals(0, cli.exitCode(), cli.err());
    return folder.resolve(name);
  }

  /** Nothing of the measurement is left in the run. */
  @Test
  void belowAHighLimitTheRunIsThePlainOne() throws Exception {
    Object[] options = {"--lora-dropout", 0.2, "--batch-size", 16, "--micro-batch", 5};
    Path plain = train("plain", options);
    Object[] limited = Cli.with(options, "--memory", "1T");
    Path stopped = train("stopped", Cli.with(limited, "--stop-after", 3));
    assertEquals(0, Runs.record(stopped).get("recomputedPieces").asInt(-1));
    assertTrue(Files.readString(stopped.resolve("config.yaml")).contains("memory: 1000000000000"));
    assertEquals(0, Cli.run("train", "--resume", stopped).exitCode());
    assertArrayEquals(Runs.learned(plain), Runs.learned(stopped));
    assertEquals(Trainings.figures(plain), Trainings.figures(stopped));
    Object[] more = {
      "--epochs", 1, "--memory", "none", "--recompute", "-o", folder.resolve("more")
    };
    Cli continued = Cli.run(Cli.with(new Object[] {"train", "--continue-from", stopped}, more));
    assertEquals(0, continued.exitCode(), continued.err());
    assertFalse(
        Files.readString(folder.resolve("more").resolve("config.yaml")).contains("memory:"));
  }

  /** In processes of their own: that of the tests has had much memory already. */
  @Test
  void someOfItIsComputedAgainBelowALowerLimit() throws Exception {
    Path original = folder.resolve("wide.onnx");
    OnnxFile.write(
        new ReferenceArchitecture(128, 6, 4, 256, 200, 100, 2).model(3), original, false);
    Cli.json("inject", original, "--match", "query|output", "--rank", 4);
    Path model = folder.resolve("wide.lora.onnx");
    Random random = new Random(6);
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 150; i++) {
      int[] ids = random.ints(60 + random.nextInt(30), 4, 200).toArray();
      lines.append("{\"input_ids\":%s,\"label\":%d}\n".formatted(Arrays.toString(ids), ids[0] % 2));
    }
    Path data = Files.writeString(folder.resolve("wide.jsonl"), lines);
    Object[] options = {"--batch-size", 90, "--micro-batch", "all"};
    assertEquals(0, Cli.run(arguments("plain", model, data, options)).exitCode());

    assertEquals(1, process(arguments("run", model, data, Cli.with(options, "--memory", "50M"))));
    Matcher enough = ENOUGH.matcher(trainings.log());
    assertTrue(enough.find(), trainings.log());
    assertFalse(Files.exists(folder.resolve("run").resolve("adapter")));
    long limit = Math.round(1e9 * 1.05 * Double.parseDouble(enough.group(1)));
    Object[] limited =
        arguments("run", model, data, Cli.with(options, "--memory", limit, "--force"));
    assertEquals(0, process(Cli.with(limited, "--stop-after", 3)), trainings.log());
    Path run = folder.resolve("run");
    int again = Runs.record(run).get("recomputedPieces").asInt();
    assertTrue(again > 0, trainings.log());
    assertTrue(trainings.log().contains(again + " of "), trainings.log());
    // In this process, which is above the limit, and keeps what was chosen.
    Cli resumed = Cli.run("train", "--resume", run);
    assertEquals(0, resumed.exitCode(), resumed.err());
    assertEquals(again, Runs.record(run).get("recomputedPieces").asInt());
    Runs.assertSame(folder.resolve("plain"), run, SAME, SAME);
  }

  private int process(Object... arguments) throws Exception {
    return Trainings.start(
            folder, Arrays.stream(arguments).map(Object::toString).toArray(String[]::new))
        .waitFor();
  }

  @Test
  void anEstimateTellsWhatWouldBeChosen() throws Exception {
    Object[] asked = {"--micro-batch", 5, "--memory", "100G", "--estimate", "--json"};
    Cli cli = Cli.run(arguments("none", trainings.model(), trainings.data(), asked));
    assertEquals(0, cli.exitCode(), cli.err());
    JsonNode told = new ObjectMapper().readTree(cli.out());
    assertEquals(0, told.get("recomputedPieces").asInt(-1));
    assertEquals("5", told.get("microBatch").asText());
    assertTrue(cli.err().contains("memory at most 100.00 GB: 0 of "), cli.err());
    assertFalse(Files.exists(folder.resolve("none")));
  }

  @Test
  void aHeadHasNothingToComputeAgain() throws Exception {
    Path original = folder.resolve("model.onnx");
    Cli cli =
        Cli.run(
            arguments("head", original, trainings.data(), "--method", "head", "--memory", "100G"));
    assertEquals(0, cli.exitCode(), cli.err());
    assertTrue(cli.err().contains("nothing can be computed again"), cli.err());
    assertEquals(0, Runs.record(folder.resolve("head")).get("recomputedPieces").asInt(-1));
  }

  @Test
  void whatDoesNotGoTogetherIsRefused() {
    for (Object[] other :
        List.of(new Object[] {"--recompute"}, new Object[] {"--micro-batch", "auto"})) {
      Cli cli =
          Cli.run(
              arguments(
                  "none", trainings.model(), trainings.data(), Cli.with(other, "--memory", "2G")));
      assertEquals(1, cli.exitCode(), cli.err());
      assertTrue(cli.err().contains("--memory"), cli.err());
    }
  }
}
