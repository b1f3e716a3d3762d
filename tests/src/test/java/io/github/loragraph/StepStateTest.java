package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.GraphEngine;
import io.github.loragraph.engine.StepInput;
import io.github.loragraph.engine.StepResult;
import io.github.loragraph.evaluation.ProbeInput;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.ElementType;
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
import io.github.loragraph.training.StepGraph;
import io.github.loragraph.training.TrainingGraph;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Where the state of a step lies, and in which pieces it is updated, does not show. */
class StepStateTest {
  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 1);

  /** Clips nothing, but every update waits for the norm of all gradients. */
  private static final double NO_CLIPPING = 1e30;

  /**
   * With so large an epsilon a gradient that is nothing but rounding, as that of a key's bias is,
   * moves nothing.
   */
  private static final AdamW ADAM_W = new AdamW(0.9, 0.999, 1e-3, 0.01);

  /** The word embeddings are large enough for tiles. */
  private static final OnnxModel MODEL =
      LoraInjector.inject(
          new ReferenceArchitecture(48, 2, 2, 96, 30_000, 40, 2).model(1),
          new InjectionOptions(
              Pattern.compile("query|output"), 4, 4, InjectionOptions.DEFAULT_HEAD, 0));

  /** Some steps of one batch or two each. */
  private static final class Run implements AutoCloseable {
    private final List<List<HostTensor>> batches = new ArrayList<>();
    private final Weights weights = new Weights();
    final StepGraph graph;
    final GraphEngine engine;

    private final int accumulation;

    Run(Method method, Kernels kernels, double maxNorm, int accumulation, Checkpoint start) {
      this.accumulation = accumulation;
      Set<String> trainable = TrainableSelection.of(method).values(MODEL);
      TrainingGraph training =
          TrainingGraph.build(
              MODEL,
              trainable,
              CrossEntropyLoss.plain(),
              GraphOptions.PLAIN.withKernels(kernels).accumulating(accumulation > 1),
              new SessionShapeInference(SESSIONS.runtime()));
      graph = StepGraph.of(training, ADAM_W, maxNorm);
      EvaluationGraph answers = EvaluationGraph.of(MODEL, training.gradients().keySet());
      engine = new GraphEngine(graph, answers, SESSIONS, weights, start, accumulation, 1, 0);
      for (int i = 0; i < 2; i++) {
        List<HostTensor> batch = new ArrayList<>(ProbeInput.of(MODEL.graph(), 3, 5 + i, i));
        ByteBuffer labels = ByteBuffer.allocateDirect(3 * 8).order(ByteOrder.nativeOrder());
        labels.putLong(8, 1);
        batch.add(
            new HostTensor(training.labels().name(), ElementType.INT64, new long[] {3}, labels));
        batches.add(batch);
      }
    }

    Map<String, Tensor> after(int steps) {
      for (int i = 0; i < steps; i++) {
        for (int part = 0; part < accumulation; part++) {
          double share = 1.0 / accumulation;
          boolean last = part == accumulation - 1;
          engine.steps(List.of(new StepInput(batches.get(part), 1e-3, share, last)));
        }
      }
      return engine.parameters();
    }

    @Override
    public void close() {
      engine.close();
      weights.close();
    }
  }

  private static Map<String, Tensor> after(
      int steps, Method method, Kernels kernels, double norm, int accumulation) {
    try (Run run = new Run(method, kernels, norm, accumulation, null)) {
      assertEquals(norm > 0 || accumulation > 1, run.graph.inPlace());
      return run.after(steps);
    }
  }

  private static void assertSame(Map<String, Tensor> expected, Map<String, Tensor> actual) {
    assertEquals(expected.keySet(), actual.keySet());
    expected.forEach((name, t) -> assertEquals(t.bytes(), actual.get(name).bytes(), name));
  }

  @ParameterizedTest
  @EnumSource(names = {"LORA", "FULL"})
  void inPlaceOrNot(Method method) {
    for (Kernels kernels : List.of(Kernels.STANDARD, Kernels.CPU)) {
      assertSame(after(3, method, kernels, 0, 1), after(3, method, kernels, NO_CLIPPING, 1));
      assertSame(after(3, method, kernels, 0, 2), after(3, method, kernels, NO_CLIPPING, 2));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"LORA", "FULL"})
  void inTilesOrNot(Method method) {
    Map<String, Tensor> whole = after(3, method, Kernels.STANDARD, 0.5, 2);
    Map<String, Tensor> tiled = after(3, method, Kernels.CPU, 0.5, 2);
    assertEquals(whole.keySet(), tiled.keySet());
    whole.forEach(
        (name, t) -> assertArrayEquals(t.toFloats(), tiled.get(name).toFloats(), 2e-6f, name));
  }

  @ParameterizedTest
  @EnumSource(names = {"LORA", "FULL"})
  void goesOnFromACheckpoint(Method method) {
    try (Run whole = new Run(method, Kernels.CPU, 1, 2, null);
        Run first = new Run(method, Kernels.CPU, 1, 2, null)) {
      Map<String, Tensor> expected = whole.after(4);
      first.after(2);
      try (Run second = new Run(method, Kernels.CPU, 1, 2, first.engine.checkpoint())) {
        assertSame(expected, second.after(2));
      }
    }
  }

  /** It adds up gradients, and what is gathered of a step that is dropped is in none after it. */
  @ParameterizedTest
  @EnumSource(names = {"LORA", "FULL"})
  void aBatchThatEndsNoStepChangesNothing(Method method) {
    Map<String, Tensor> expected = after(2, method, Kernels.CPU, 1, 2);
    try (Run run = new Run(method, Kernels.CPU, 1, 2, null)) {
      run.after(1);
      Checkpoint before = run.engine.checkpoint();
      StepResult result =
          run.engine.steps(List.of(new StepInput(run.batches.get(1), 1e-3, 0.5, false))).get(0);
      assertTrue(Double.isNaN(result.gradientNorm()));
      Checkpoint after = run.engine.checkpoint();
      for (int i = 0; i < before.trainable().size(); i++) {
        assertEquals(before.trainable().get(i).bytes(), after.trainable().get(i).bytes());
      }
      run.engine.forget();
      assertSame(expected, run.after(1));
    }
  }

  @Test
  void largeParametersAreTiled() {
    try (Run run = new Run(Method.FULL, Kernels.CPU, 1, 1, null)) {
      assertTrue(run.graph.model().graph().nodes().stream().anyMatch(n -> n.is("Scan")));
    }
  }
}
