package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.CheckpointFile;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.GraphEngine;
import io.github.loragraph.engine.StepInput;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.EvaluationGraph;
import io.github.loragraph.training.GraphOptions;
import io.github.loragraph.training.LossScaling;
import io.github.loragraph.training.Precision;
import io.github.loragraph.training.StepGraph;
import io.github.loragraph.training.TrainingGraph;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps in FLOAT16, through the graph engine and through the command line. */
class LossScalingTest {
  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 1);

  /** Four units of roundoff of FLOAT16, for losses and logits of about 1. */
  private static final double CURVE = 0x1p-9;

  /** Beyond FLOAT16 from the first gradient on. */
  private static final double ENORMOUS = 0x1p60;

  @TempDir Path folder;

  /** A training of a fixture's adapters. */
  private static final class Run implements AutoCloseable {
    final StepGraph graph;
    final GraphEngine engine;
    final List<HostTensor> batch;
    private final Weights weights = new Weights();

    Run(String fixture, double maxNorm, int batches, LossScaling scaling, Checkpoint start) {
      Oracle oracle = Oracle.of(fixture);
      OnnxModel model = MixedPrecisionTest.injected(oracle);
      Set<String> trainable = TrainableSelection.of(Method.LORA).values(model);
      TrainingGraph training =
          TrainingGraph.build(
              model,
              trainable,
              CrossEntropyLoss.plain(),
              GraphOptions.PLAIN.withPrecision(Precision.FP16).accumulating(batches > 1),
              new SessionShapeInference(OrtRuntime.ofThisProcess()));
      AdamW adamW =
          new AdamW(
              oracle.number("/adamw/beta1"),
              oracle.number("/adamw/beta2"),
              oracle.number("/adamw/eps"),
              oracle.number("/adamw/weight_decay"));
      graph = StepGraph.of(training, adamW, maxNorm, scaling);
      engine =
          new GraphEngine(
              graph, EvaluationGraph.of(model, trainable), SESSIONS, weights, start, batches, 1, 0);
      batch = new ArrayList<>(oracle.inputs());
      batch.add(oracle.labels());
    }

    void steps(int count) {
      for (int i = 0; i < count; i++) {
        engine.step(batch, 1e-2);
      }
    }

    @Override
    public void close() {
      engine.close();
      weights.close();
    }
  }

  private static void assertSameState(Checkpoint expected, Checkpoint actual) {
    assertSameTensors(expected.trainable(), actual.trainable());
    expected
        .groups()
        .get(0)
        .states()
        .forEach(
            (parameter, moments) -> {
              Map<String, Tensor> others = actual.groups().get(0).states().get(parameter);
              moments.forEach((name, t) -> assertEquals(t.bytes(), others.get(name).bytes(), name));
            });
  }

  private static void assertSameTensors(List<Tensor> expected, List<Tensor> actual) {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(expected.get(i).bytes(), actual.get(i).bytes(), expected.get(i).name());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-roberta", "tiny-bert"})
  void twentyStepsFollowTheOracle(String fixture) {
    Oracle oracle = Oracle.of(fixture);
    double[] losses = oracle.numbers("/adamw/losses");
    try (Run run = new Run(fixture, 0, 1, LossScaling.USUAL, null)) {
      for (double loss : losses) {
        assertEquals(loss, run.engine.step(run.batch, oracle.number("/adamw/lr")).loss(), CURVE);
      }
      assertEquals(0, run.engine.skippedSteps());
      assertEquals(65536, run.engine.lossScale());
      // The answers are those in FLOAT.
      float[][] rows = run.engine.classifier().logits(oracle.inputs());
      double[] logits = oracle.numbers("/adamw/logits_final");
      for (int i = 0; i < logits.length; i++) {
        assertEquals(logits[i], rows[i / rows[0].length][i % rows[0].length], CURVE);
      }
    }
  }

  @Test
  void theStateIsListedWithItsBeginning() {
    try (Run run = new Run("tiny-roberta", 1, 2, LossScaling.USUAL, null)) {
      List<String> inputs = new ArrayList<>();
      for (StepGraph.Carried c : run.graph.carried()) {
        inputs.add(c.input());
        assertTrue(run.graph.model().graph().isInput(c.input()), c::input);
        assertTrue(run.graph.model().graph().isOutput(c.output()), c::output);
        assertEquals(c.input(), c.initial().name());
      }
      run.graph.slots().forEach(slot -> assertTrue(inputs.containsAll(slot.inputs())));
      long wholes = run.graph.slots().stream().map(StepGraph.Slot::values).distinct().count();
      assertEquals(4 * wholes + 3, inputs.size());
    }
  }

  /** Nothing changes but the scale, and later steps are as if those had not been. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 1})
  void stepsWithoutFiniteGradientsAreSkipped(double maxNorm) {
    int skipped = 0;
    Checkpoint late;
    double scale;
    try (Run run = new Run("tiny-roberta", maxNorm, 1, new LossScaling(ENORMOUS, 2000), null)) {
      Checkpoint before = run.engine.checkpoint();
      for (; run.engine.skippedSteps() == skipped; skipped++) {
        assertSameState(before, run.engine.checkpoint());
        assertEquals(ENORMOUS * Math.pow(0.5, skipped), run.engine.lossScale());
        double norm = run.engine.step(run.batch, 1e-2).gradientNorm();
        assertEquals(maxNorm == 0 || skipped + 1 == run.engine.skippedSteps(), Double.isNaN(norm));
      }
      skipped--;
      assertTrue(skipped > 20 && skipped < 60, "skipped " + skipped);
      scale = run.engine.lossScale();
      run.steps(4);
      assertEquals(skipped + 5, run.engine.steps());
      assertEquals(skipped, run.engine.skippedSteps());
      late = run.engine.checkpoint();
    }
    try (Run run = new Run("tiny-roberta", maxNorm, 1, new LossScaling(scale, 2000), null)) {
      run.steps(5);
      assertSameState(run.engine.checkpoint(), late);
      assertEquals(5, run.engine.steps());
    }
  }

  @Test
  void theScaleIsDoubledAfterFiniteStepsInARow() {
    try (Run run = new Run("tiny-roberta", 0, 1, new LossScaling(1024, 3), null)) {
      double[] scales = new double[7];
      for (int i = 0; i < scales.length; i++) {
        run.steps(1);
        scales[i] = run.engine.lossScale();
      }
      assertArrayEquals(new double[] {1024, 1024, 2048, 2048, 2048, 4096, 4096}, scales);
      // It ends where gradients overflow: then it goes down and up again.
      run.steps(100);
      long skipped = run.engine.skippedSteps();
      assertTrue(skipped > 5, "skipped " + skipped);
      double highest = 0;
      double lowest = Double.POSITIVE_INFINITY;
      for (int i = 0; i < 30; i++) {
        run.steps(1);
        highest = Math.max(highest, run.engine.lossScale());
        lowest = Math.min(lowest, run.engine.lossScale());
      }
      assertTrue(highest / lowest >= 2 && highest / lowest <= 8, highest + " " + lowest);
    }
  }

  /**
   * Gathered gradients are judged when they are used, and begin anew after that. A batch that is
   * half of a step has half of its gradient, so that twice the factor fits.
   */
  @Test
  void gatheredGradientsAreSkippedTogether() {
    try (Run twice = new Run("tiny-roberta", 1, 2, new LossScaling(0x1p40, 2000), null);
        Run once = new Run("tiny-roberta", 1, 1, new LossScaling(0x1p39, 2000), null)) {
      for (int i = 0; i < 30; i++) {
        double scale = twice.engine.lossScale();
        twice.engine.steps(List.of(new StepInput(twice.batch, 1e-2, 0.5, false)));
        assertEquals(scale, twice.engine.lossScale());
        twice.engine.steps(List.of(new StepInput(twice.batch, 1e-2, 0.5, true)));
        once.steps(1);
        assertEquals(2 * once.engine.lossScale(), twice.engine.lossScale());
        assertEquals(once.engine.skippedSteps(), twice.engine.skippedSteps());
      }
      assertTrue(once.engine.skippedSteps() > 5 && once.engine.skippedSteps() < 30);
      Map<String, Tensor> expected = once.engine.parameters();
      twice
          .engine
          .parameters()
          .forEach(
              (name, tensor) ->
                  assertArrayEquals(expected.get(name).toFloats(), tensor.toFloats(), 2e-6f, name));
    }
  }

  @Test
  void aCheckpointHoldsTheScale() {
    LossScaling scaling = new LossScaling(0x1p40, 3);
    Path file = folder.resolve("checkpoint");
    Checkpoint expected;
    try (Run run = new Run("tiny-bert", 1, 1, scaling, null)) {
      run.steps(35);
      CheckpointFile.write(run.engine.checkpoint(), file, false);
      run.steps(20);
      expected = run.engine.checkpoint();
    }
    Checkpoint half = CheckpointFile.read(file);
    try (Run run = new Run("tiny-bert", 1, 1, scaling, half)) {
      assertEquals(half.properties(), run.engine.checkpoint().properties());
      run.steps(20);
      assertSameState(expected, run.engine.checkpoint());
      assertEquals(expected.properties(), run.engine.checkpoint().properties());
      assertTrue((Long) expected.properties().get(LossScaling.SKIPPED_STEPS) > 5);
    }
    // One without loss scaling can be gone on with, too.
    Checkpoint plain = new Checkpoint(half.trainable(), List.of(), false, half.groups(), Map.of());
    try (Run run = new Run("tiny-bert", 1, 1, scaling, plain)) {
      assertEquals(0x1p40, run.engine.lossScale());
      assertEquals(0, ((Engine) run.engine).skippedSteps());
    }
  }

  @Test
  void throughTheCommandLine() throws IOException {
    Path original = folder.resolve("model.onnx");
    Files.copy(Oracle.of("tiny-roberta").modelFile(), original);
    Cli.json("inject", original, "--match", "query|output", "--rank", 4);
    Path model = folder.resolve("model.lora.onnx");
    Path data = Trainings.rows(folder.resolve("train.jsonl"), 40, 3, 8, 3);
    Path run = folder.resolve("run");
    Object[] train = {
      "train",
      model,
      "--data",
      data,
      "--steps",
      250,
      "--batch-size",
      4,
      "--lr",
      "1e-3",
      "--precision",
      "fp16",
      "-o",
      run
    };
    Cli trained = Cli.run(train);
    assertEquals(0, trained.exitCode(), trained.err());
    assertTrue(trained.err().contains("engine graph: only that one trains with precision fp16"));
    assertTrue(Files.readString(run.resolve("config.yaml")).contains("precision: \"fp16\""));
    List<String> metrics = Files.readAllLines(run.resolve("metrics.jsonl"));
    JsonNode last = new ObjectMapper().readTree(metrics.get(metrics.size() - 1));
    assertTrue(last.get("lossScale").asDouble() > 1, last::toString);
    assertTrue(last.get("skippedSteps").asLong() < 20, last::toString);
    JsonNode measured =
        Cli.json("benchmark", model, "--precision", "fp16", "--sequence", 8, "--steps", 1);
    assertEquals("fp16", measured.get("precision").asText());

    refused("precision fp16 needs the graph engine", train, "--engine", "training-api");
    refused("no matrix products in bf16 on this device", train, "--precision", "bf16");
    Cli unknown = Cli.run("train", model, "--precision", "fp8");
    assertEquals(2, unknown.exitCode());
    assertTrue(unknown.err().contains("fp32, fp16, bf16"), unknown.err());
  }

  private void refused(String words, Object[] arguments, Object option, Object value) {
    List<Object> all = new ArrayList<>(Arrays.asList(arguments));
    int known = all.indexOf(option);
    if (known >= 0) {
      all.set(known + 1, value);
    } else {
      all.addAll(List.of(option, value));
    }
    all.set(all.size() - (known >= 0 ? 1 : 3), folder.resolve("another"));
    Cli run = Cli.run(all.toArray());
    assertEquals(1, run.exitCode(), run.err());
    assertTrue(run.err().contains(words), run.err());
  }
}
