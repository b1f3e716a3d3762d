package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.GraphEngine;
import io.github.loragraph.engine.StepInput;
import io.github.loragraph.evaluation.ProbeInput;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.EvaluationGraph;
import io.github.loragraph.training.GraphOptions;
import io.github.loragraph.training.Moments;
import io.github.loragraph.training.StepGraph;
import io.github.loragraph.training.TrainingGraph;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Moments that are kept as codes. */
class MomentsTest {
  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 1);
  private static final AdamW ADAM_W = new AdamW(0.9, 0.98, 1e-6, 0.01);

  /** The same with a first moment that is the gradient. */
  private static final AdamW BARE = new AdamW(0, 0.98, 1e-6, 0.01);

  private static final double RATE = 1e-3;

  /** The word embeddings are large enough for codes. */
  private static final OnnxModel MODEL =
      new ReferenceArchitecture(48, 2, 2, 96, 30_000, 40, 2).model(1);

  private static final class Run implements AutoCloseable {
    private final List<List<HostTensor>> batches = new ArrayList<>();
    private final Weights weights = new Weights();
    final String large;
    final GraphEngine engine;

    Run(AdamW optimizer, Moments moments, Checkpoint start) {
      TrainingGraph training =
          TrainingGraph.build(
              MODEL,
              TrainableSelection.of(Method.FULL).values(MODEL),
              CrossEntropyLoss.plain(),
              GraphOptions.PLAIN.withKernels(Kernels.CPU),
              new SessionShapeInference(SESSIONS.runtime()));
      large =
          training.gradients().keySet().stream()
              .filter(name -> training.initialValues().get(name).elementCount() == 30_000L * 48)
              .findFirst()
              .orElseThrow();
      StepGraph graph = StepGraph.of(training, optimizer, 0, moments);
      EvaluationGraph answers = EvaluationGraph.of(MODEL, training.gradients().keySet());
      engine = new GraphEngine(graph, answers, SESSIONS, weights, start, 1, 1, 0);
      for (int i = 0; i < 2; i++) {
        List<HostTensor> batch = new ArrayList<>(ProbeInput.of(MODEL.graph(), 3, 20, i));
        ByteBuffer labels = ByteBuffer.allocateDirect(3 * 8).order(ByteOrder.nativeOrder());
        labels.putLong(8, 1);
        batch.add(
            new HostTensor(training.labels().name(), ElementType.INT64, new long[] {3}, labels));
        batches.add(batch);
      }
    }

    void step(int batch) {
      engine.steps(List.of(new StepInput(batches.get(batch), RATE)));
    }

    float[] parameter() {
      return engine.parameters().get(large).toFloats();
    }

    Map<String, Tensor> state() {
      return engine.checkpoint().group(Checkpoint.GROUP).orElseThrow().states().get(large);
    }

    @Override
    public void close() {
      engine.close();
      weights.close();
    }
  }

  /** What the graph does, written down once more. */
  private record PlainMoments(float[] codes, float[] scales) {
    static PlainMoments of(Map<String, Tensor> state, String name) {
      Tensor tensor = state.get(name);
      ByteBuffer bytes = tensor.bytes().order(ByteOrder.LITTLE_ENDIAN);
      float[] codes = new float[(int) tensor.elementCount()];
      for (int i = 0; i < codes.length; i++) {
        codes[i] =
            switch (tensor.elementType()) {
              case INT8 -> bytes.get(i);
              case UINT8 -> bytes.get(i) & 0xff;
              case INT16 -> bytes.getShort(2 * i);
              default -> throw new AssertionError(tensor.elementType());
            };
      }
      return new PlainMoments(codes, state.get(name + "_scales").toFloats());
    }

    int block() {
      return codes.length / scales.length;
    }

    float first(int i) {
      float root = codes[i] * scales[i / block()];
      return root * Math.abs(root);
    }

    float second(int i) {
      float fourthRoot = codes[i] * scales[i / block()];
      float root = fourthRoot * fourthRoot;
      return root * root;
    }

    /**
     * @param roots of a first moment with its sign, or fourth roots of a second
     * @param sizes what the scales are taken of
     * @param least the smallest code
     */
    static PlainMoments coded(
        float[] roots, float[] sizes, int block, int tile, int levels, int least, long step) {
      float[] codes = new float[roots.length];
      float[] scales = new float[roots.length / block];
      for (int i = 0; i < roots.length; i++) {
        scales[i / block] = Math.max(scales[i / block], sizes[i]);
      }
      for (int i = 0; i < scales.length; i++) {
        scales[i] = (scales[i] + 1e-18f) * (float) (1.0 / levels);
      }
      for (int i = 0; i < roots.length; i++) {
        long place = i % tile;
        float noise = (place * 49_471 + step * 37_345) % 65_536 / 65_536f - 0.5f;
        float scale = scales[i / block];
        double code = Math.rint((roots[i] + noise * scale) / scale);
        codes[i] = (float) Math.max(least, Math.min(levels, code));
      }
      return new PlainMoments(codes, scales);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"ADAMW_8BIT", "ADAMW_16BIT"})
  void asAPlainLoop(Moments moments) {
    try (Run run = new Run(ADAM_W, moments, null)) {
      run.step(0);
      for (int step = 2; step <= 4; step++) {
        Map<String, Tensor> before = run.state();
        float[] parameter = run.parameter();
        float[] gradient = gradient(run.engine.checkpoint(), step % 2);
        run.step(step % 2);
        assertSame(step, before, parameter, gradient, run);
      }
    }
  }

  private static float[] gradient(Checkpoint parameters, int batch) {
    try (Run run = new Run(BARE, Moments.ADAMW, Checkpoint.ofParameters(parameters.trainable()))) {
      run.step(batch);
      return run.state().get(Checkpoint.MOMENTS.get(0)).toFloats();
    }
  }

  private static void assertSame(
      int step, Map<String, Tensor> before, float[] parameter, float[] gradient, Run run) {
    PlainMoments first = PlainMoments.of(before, Checkpoint.MOMENTS.get(0));
    PlainMoments second = PlainMoments.of(before, Checkpoint.MOMENTS.get(1));
    boolean small = before.get(Checkpoint.MOMENTS.get(0)).elementType() == ElementType.INT8;
    int tile = (int) before.get(Checkpoint.MOMENTS.get(0)).dim(1);
    float[] firstRoots = new float[gradient.length];
    float[] firstSizes = new float[gradient.length];
    float[] secondRoots = new float[gradient.length];
    float[] expected = new float[gradient.length];
    double root = Math.sqrt(1 - Math.pow(0.98, step));
    for (int i = 0; i < gradient.length; i++) {
      float m = first.first(i) * 0.9f + gradient[i] * 0.1f;
      float part = gradient[i] * (float) Math.sqrt(1 - 0.98);
      float v = second.second(i) * 0.98f + part * part;
      float direction = m / ((float) Math.sqrt(v) + (float) (1e-6 * root));
      expected[i] =
          parameter[i] * (float) (1 - RATE * 0.01)
              - direction * (float) (RATE * root / (1 - Math.pow(0.9, step)));
      firstSizes[i] = (float) Math.sqrt(Math.abs(m) + 1e-36f);
      firstRoots[i] = m / firstSizes[i];
      secondRoots[i] = (float) Math.sqrt((float) Math.sqrt(v));
    }
    assertArrayEquals(expected, run.parameter(), 1e-6f);
    int block = first.block();
    Map<String, Tensor> after = run.state();
    assertSame(
        PlainMoments.coded(
            firstRoots, firstSizes, block, tile, small ? 127 : 32_767, Integer.MIN_VALUE, step),
        PlainMoments.of(after, Checkpoint.MOMENTS.get(0)));
    assertSame(
        PlainMoments.coded(secondRoots, secondRoots, block, tile, small ? 255 : 32_767, 1, step),
        PlainMoments.of(after, Checkpoint.MOMENTS.get(1)));
  }

  /** Where a number is just between two codes, its last digit decides. */
  private static void assertSame(PlainMoments expected, PlainMoments found) {
    for (int i = 0; i < expected.scales.length; i++) {
      assertEquals(expected.scales[i], found.scales[i], 1e-5 * expected.scales[i]);
    }
    int others = 0;
    for (int i = 0; i < expected.codes.length; i++) {
      assertEquals(expected.codes[i], found.codes[i], 1, "code " + i);
      others += expected.codes[i] == found.codes[i] ? 0 : 1;
    }
    assertTrue(others <= expected.codes.length / 100, others + " other codes");
  }

  /** A step's change is less than half a code; the mean follows it all the same. */
  @ParameterizedTest
  @EnumSource(names = {"ADAMW_8BIT", "ADAMW_16BIT"})
  void smallChangesAddUp(Moments moments) {
    try (Run run = new Run(ADAM_W, moments, null)) {
      run.step(0);
      PlainMoments begin = PlainMoments.of(run.state(), Checkpoint.MOMENTS.get(1));
      int steps = 60;
      for (int i = 0; i < steps; i++) {
        run.step(1);
      }
      PlainMoments end = PlainMoments.of(run.state(), Checkpoint.MOMENTS.get(1));
      float[] still = gradient(run.engine.checkpoint(), 1);
      double before = 0;
      double after = 0;
      for (int i = 0; i < still.length; i++) {
        if (still[i] == 0 && begin.codes[i] > 20) {
          before += begin.second(i);
          after += end.second(i);
        }
      }
      double decayed = Math.pow(0.98, steps);
      assertEquals(decayed, after / before, 0.1 * decayed);
    }
  }

  @Test
  void aStoppedRunGoesOnToTheSameBytes(@TempDir Path folder) throws Exception {
    Path model = folder.resolve("large.onnx");
    OnnxFile.write(MODEL, model, false);
    Trainings trainings = new Trainings(folder);
    Object[] options = {
      "train",
      model,
      "--data",
      trainings.data(),
      "--method",
      "full",
      "--optim",
      "adamw-8bit",
      "--epochs",
      1,
      "--batch-size",
      16,
      "--accumulate",
      2,
      "--threads",
      1,
      "-o"
    };
    Path straight = folder.resolve("straight");
    Cli cli = Cli.run(Cli.with(options, straight));
    assertEquals(0, cli.exitCode(), cli.err());
    assertTrue(cli.err().contains("rounded to codes of 8 bits"), cli.err());
    assertTrue(Files.readString(straight.resolve("config.yaml")).contains("optim: \"adamw-8bit\""));
    Path stopped = folder.resolve("stopped");
    assertEquals(0, Cli.run(Cli.with(options, stopped, "--stop-after", 1)).exitCode());
    assertEquals(0, Cli.run("train", "--resume", stopped).exitCode());
    assertArrayEquals(Runs.learned(straight), Runs.learned(stopped));
    Cli api = Cli.run(Cli.with(options, folder.resolve("api"), "--engine", "training-api"));
    assertNotEquals(0, api.exitCode());
    assertTrue(api.err().contains("adamw-8bit needs the graph engine"), api.err());
  }
}
