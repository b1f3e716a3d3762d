package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.OnnxFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Thresholds that a run fits decide what its model answers, wherever that goes. */
class ThresholdsRunTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> CLASSES = List.of("a", "b", "c");

  @TempDir Path folder;
  private Path model;
  private Path data;
  private Path heldOut;

  @BeforeEach
  void make() throws IOException {
    Path plain = folder.resolve("plain.onnx");
    OnnxFile.write(new ReferenceArchitecture(16, 1, 2, 32, 40, 40, 3).model(0), plain, true);
    Path adapted = folder.resolve("adapted");
    Files.createDirectories(adapted);
    Files.writeString(
        adapted.resolve("config.json"),
        "{\"id2label\":{\"0\":\"a\",\"1\":\"b\",\"2\":\"c\"},\"problem_type\":\"multi_label_classification\"}");
    model = adapted.resolve("model.onnx");
    assertEquals(0, Cli.run("inject", plain, "--match", "query|output", "-o", model).exitCode());
    data = rows("train.jsonl", 40, 1);
    heldOut = rows("dev.jsonl", 21, 2);
  }

  /** Rows of several lengths, whose classes are rare. */
  private Path rows(String name, int count, int seed) throws IOException {
    Random random = new Random(seed);
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < count; i++) {
      int[] ids = random.ints(2 + random.nextInt(9), 4, 40).toArray();
      List<Integer> label = new ArrayList<>();
      for (int c = 0; c < 3; c++) {
        label.add(ids[0] % (4 + c) == 0 || random.nextInt(8) == 0 ? 1 : 0);
      }
      lines.append(
          "{\"input_ids\":%s,\"attention_mask\":%s,\"label\":%s}%n"
              .formatted(
                  Arrays.toString(ids),
                  Arrays.toString(new int[ids.length]).replace('0', '1'),
                  label));
    }
    return Files.writeString(folder.resolve(name), lines);
  }

  private Cli train(Path run, Object... more) {
    List<Object> all =
        new ArrayList<>(
            List.of("train", model, "--data", data, "--steps", 20, "--batch-size", 4, "--lr"));
    all.addAll(List.of("1e-2", "--threads", 1, "-o", run));
    all.addAll(List.of(more));
    Cli cli = Cli.run(all.toArray());
    assertEquals(0, cli.exitCode(), cli.err());
    return cli;
  }

  /** The figures that the line of an evaluation has. */
  private String headline(Path run) {
    JsonNode figures = Cli.json("eval", run, "--data", heldOut);
    return String.format(
        Locale.ROOT,
        "loss %.4f, microF1 %.4f",
        figures.path("loss").asDouble(),
        figures.path("microF1").asDouble());
  }

  private static Map<String, Double> thresholds(Path folder) throws IOException {
    Map<String, Double> thresholds = new TreeMap<>();
    JSON.readTree(folder.resolve("config.json").toFile())
        .path("thresholds")
        .properties()
        .forEach(e -> thresholds.put(e.getKey(), e.getValue().asDouble()));
    return thresholds;
  }

  /** The run's page has them beside the figures that they make. */
  private static void assertThresholdsShown(Path run, Map<String, Double> thresholds)
      throws IOException {
    String page = Files.readString(run.resolve("report.html"));
    assertEquals(!thresholds.isEmpty(), page.contains(">threshold<"), "a column of them");
    thresholds.forEach(
        (name, threshold) ->
            assertTrue(
                page.contains("<td class=\"n\" data-v=\"%s\">".formatted(threshold)),
                name + " " + threshold));
  }

  @Test
  void aRunsThresholdsDecide() throws Exception {
    Path half = folder.resolve("half");
    Path run = folder.resolve("run");
    train(half, "--eval", heldOut);
    Cli said = train(run, "--eval", heldOut, "--fit-thresholds");
    assertThresholdsShown(half, Map.of());
    assertThresholdsShown(run, thresholds(run));
    Path weights = Path.of("adapter", "adapter_model.safetensors");
    assertEquals(-1, Files.mismatch(half.resolve(weights), run.resolve(weights)));
    Map<String, Double> fitted = thresholds(run);
    assertEquals(CLASSES, List.copyOf(fitted.keySet()));
    assertTrue(said.err().contains("thresholds fitted to 21 held-out examples: a "), said.err());

    // What predict says of probabilities, with these thresholds, is what it answers.
    JsonNode answers = Cli.json("predict", run, "--data", heldOut);
    boolean others = false;
    for (JsonNode answer : answers.path("predictions")) {
      List<String> expected = new ArrayList<>();
      for (String name : CLASSES) {
        double probability = answer.path("probabilities").path(name).asDouble();
        others |= probability >= fitted.get(name) != probability >= 0.5;
        if (probability >= fitted.get(name)) {
          expected.add(name);
        }
      }
      List<String> labels = new ArrayList<>();
      answer.path("labels").forEach(label -> labels.add(label.asText()));
      assertEquals(expected, labels);
    }
    assertTrue(others, "a half answers otherwise");

    double macro = Cli.json("eval", run, "--data", heldOut).path("macroF1").asDouble();
    double before = Cli.json("eval", half, "--data", heldOut).path("macroF1").asDouble();
    assertTrue(macro > before, macro + " by thresholds, " + before + " by a half");
    assertTrue(said.err().contains("macroF1 %.4f, with a half %.4f".formatted(macro, before)));

    // What the run ends with is what its model answers; on the way a half decided.
    assertTrue(said.out().contains("held out: " + headline(run)), said.out());
    JsonNode record = Runs.record(run);
    assertEquals(macro, record.path("final").path("macroF1").asDouble(), 1e-9);
    double ofClasses = 0;
    for (JsonNode figures : record.path("classes")) {
      ofClasses += figures.path("f1").asDouble() / CLASSES.size();
    }
    assertEquals(macro, ofClasses, 1e-9);
    JsonNode errors = Cli.json("eval", run, "--data", heldOut, "--errors", 50).path("errors");
    assertEquals(errors.size(), record.path("mistakeCount").asInt());
    for (int i = 0; i < errors.size(); i++) {
      assertEquals(errors.get(i).path("answer"), record.path("mistakes").get(i).path("answer"));
    }
    String metrics = Files.readString(run.resolve("metrics.jsonl"));
    assertTrue(metrics.contains("\"evalMacroF1\":" + before), metrics);

    Path merged = folder.resolve("merged");
    assertEquals(0, Cli.run("merge", run, "-o", merged).exitCode());
    assertEquals(fitted, thresholds(merged));
    assertEquals(macro, Cli.json("eval", merged, "--data", heldOut).path("macroF1").asDouble());
    Path unloaded = folder.resolve("unloaded");
    Cli unload = Cli.run("unload", run, "-o", unloaded);
    assertEquals(0, unload.exitCode(), unload.err());
    assertEquals(Map.of(), thresholds(unloaded));
    assertTrue(unload.err().contains("thresholds"), unload.err());
  }

  @Test
  void stoppedAndGoneOnWithTheSame() throws Exception {
    Path run = folder.resolve("run");
    train(run, "--eval-split", 0.3, "--fit-thresholds", "--eval-every", 5);
    for (Object streamed : List.of("--streaming", "--no-streaming")) {
      Path stopped = folder.resolve("stopped" + streamed);
      train(
          stopped,
          "--eval-split",
          0.3,
          "--fit-thresholds",
          "--eval-every",
          5,
          "--stop-after",
          7,
          streamed);
      assertFalse(Files.exists(stopped.resolve("config.json")));
      assertEquals(0, Cli.run("train", "--resume", stopped).exitCode());
      assertArrayEquals(Runs.learned(run), Runs.learned(stopped));
      assertEquals(thresholds(run), thresholds(stopped));
    }
  }

  /** Fitted to a model as it was, they say nothing of what a training makes of it. */
  @Test
  void aFurtherTrainingHasItsOwn() throws Exception {
    Path run = folder.resolve("run");
    train(run, "--eval", heldOut, "--fit-thresholds", "--write-model");
    model = run;
    Path further = folder.resolve("further");
    Cli said = train(further, "--eval", heldOut);
    assertEquals(Map.of(), thresholds(further));
    assertTrue(said.err().contains("decides by a half"), said.err());
    try (Predictor predictor = Model.open(run).predictor()) {
      assertEquals(thresholds(run), new TreeMap<>(predictor.thresholds()));
    }
  }

  @Test
  void refusedWhereThereIsNothingToFit() {
    Cli none =
        Cli.run("train", model, "--data", data, "--fit-thresholds", "-o", folder.resolve("x"));
    assertEquals(2, none.exitCode(), none.err());
    assertTrue(none.err().contains("--eval"), none.err());
    LoraGraphException other =
        assertThrows(
            LoraGraphException.class,
            () ->
                Model.open(model)
                    .train(
                        Dataset.file(data),
                        Dataset.file(heldOut),
                        TrainingArguments.builder()
                            .task(Task.CLASSIFICATION)
                            .fitThresholds(true)
                            .build()));
    assertTrue(other.getMessage().contains("multilabel"), other.getMessage());
  }

  /** Where the model stays as it was there is nothing to fit, and its own thresholds stay. */
  @Test
  void theModelThatWasKeptKeepsItsOwn() throws Exception {
    Path run = folder.resolve("run");
    train(run, "--eval", heldOut, "--fit-thresholds", "--write-model");
    model = run;
    Path kept = folder.resolve("kept");
    Cli said =
        train(
            kept,
            "--eval",
            heldOut,
            "--fit-thresholds",
            "--keep-if-better",
            "--warmup-steps",
            10000);
    assertTrue(said.err().contains("stays as it was"), said.err());
    assertFalse(said.err().contains("thresholds fitted"), said.err());
    assertEquals(thresholds(run), thresholds(kept));
  }

  /** An adapter that says nothing of thresholds has none, whatever the model below it has. */
  @Test
  void thresholdsOfTheModelAreNotThoseOfAnAdapter() throws Exception {
    Path run = folder.resolve("run");
    train(run, "--eval", heldOut, "--fit-thresholds");
    Path below = model.resolveSibling("config.json");
    Files.copy(run.resolve("config.json"), below, StandardCopyOption.REPLACE_EXISTING);
    Path bare = Files.createDirectories(folder.resolve("bare"));
    for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
      Files.copy(run.resolve("adapter").resolve(file), bare.resolve(file));
    }
    try (Predictor predictor = Model.open(model).predictor();
        Predictor adapted = Model.open(model).withAdapter(bare).predictor();
        Predictor itsOwn = Model.open(model).withAdapter(run).predictor()) {
      assertEquals(3, predictor.thresholds().size());
      assertEquals(Map.of(), adapted.thresholds());
      assertEquals(thresholds(run), new TreeMap<>(itsOwn.thresholds()));
    }
  }

  /** Probabilities that are all next to 0 or 1 are no success, whatever the F1 is. */
  @Test
  void whatWentAstrayIsSaid() {
    List<Object> all = new ArrayList<>(List.of("train", model, "--data", data, "--steps", 20));
    all.addAll(List.of("--eval", heldOut, "--fit-thresholds", "--max-grad-norm", 0));
    all.addAll(List.of("--lr", 20, "--batch-size", 4, "-o", folder.resolve("astray")));
    Cli cli = Cli.run(all.toArray());
    assertEquals(0, cli.exitCode(), cli.err());
    assertEquals(
        1,
        cli.err().lines().filter(line -> line.startsWith("thresholds next to 0 or 1 (")).count(),
        cli.err());
    assertTrue(cli.err().contains("went astray leaves them: try a lower learning rate"), cli.err());
  }

  /** A file that another hand wrote is held to the classes. */
  @Test
  void statedWrong() throws IOException {
    for (String stated :
        List.of(
            "{\"a\":0.5}",
            "{\"a\":0.5,\"b\":0.5,\"d\":1}",
            "[0.5,0.5,0.5]",
            "{\"a\":0,\"b\":1,\"c\":1}",
            "{\"a\":1.5,\"b\":1,\"c\":1}",
            "{\"a\":\"x\",\"b\":1,\"c\":1}")) {
      Files.writeString(
          model.resolveSibling("config.json"),
          "{\"id2label\":{\"0\":\"a\",\"1\":\"b\",\"2\":\"c\"},\"problem_type\":\"multi_label_classification\",\"thresholds\":"
              + stated
              + "}");
      Cli eval = Cli.run("eval", model, "--data", heldOut);
      assertEquals(1, eval.exitCode(), stated + ": " + eval.err());
      assertTrue(eval.err().contains("config.json: 'thresholds' "), eval.err());
      assertEquals(1, eval.err().lines().count(), eval.err());
    }
  }
}
