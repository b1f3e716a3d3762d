package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.check.Oracle;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.Engine;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.engine.Engines;
import io.github.loragraph.engine.StepInput;
import io.github.loragraph.engine.StepResult;
import io.github.loragraph.evaluation.ProbeInput;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Optimization;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Several steps in one call are the same steps one by one, to the last bit. */
class StepLoopTest {
  private static final int STEPS = 12;

  @ParameterizedTest
  @CsvSource({
    "tiny-roberta, LORA, 1, 0, 5",
    "tiny-bert, LORA, 2, 0.25, 4",
    "tiny-roberta-training-export, FULL, 1, 0, 12",
    "tiny-roberta-dropout, LORA, 3, 0, 7"
  })
  void theSameStepsInOneCall(
      String fixture, Method method, int accumulation, double dropout, int batchesPerCall) {
    OnnxModel model =
        LoraInjector.inject(
            Oracle.of(fixture).model(),
            new InjectionOptions(
                Pattern.compile("query|output"), 4, 4, InjectionOptions.DEFAULT_HEAD, 0));
    Run alone = run(model, method, accumulation, dropout, 1);
    Run together = run(model, method, accumulation, dropout, batchesPerCall);
    assertEquals(alone.results(), together.results());
    alone
        .parameters()
        .forEach(
            (name, tensor) ->
                assertArrayEquals(
                    tensor.toFloats(), together.parameters().get(name).toFloats(), name));
  }

  private record Run(List<StepResult> results, Map<String, Tensor> parameters) {}

  private static Run run(
      OnnxModel model, Method method, int accumulation, double dropout, int batchesPerCall) {
    Engines engines =
        new Engines(
            model,
            TrainableSelection.of(method).values(model),
            CrossEntropyLoss.plain(),
            new Optimization(AdamW.defaults(), 1, new LoraDropout(dropout)),
            accumulation,
            batchesPerCall,
            3,
            new Sessions(OrtRuntime.ofThisProcess(), 1));
    List<StepResult> results = new ArrayList<>();
    try (Engines.Opened opened = engines.open(EngineKind.GRAPH, null, 1, null, line -> {})) {
      Engine engine = opened.engine();
      List<StepInput> inputs = new ArrayList<>();
      for (int i = 0; i < STEPS; i++) {
        boolean last = (i + 1) % accumulation == 0;
        inputs.add(new StepInput(batch(model, i), 1e-3 * (i + 1), 1.0 / accumulation, last));
      }
      for (int i = 0; i < STEPS; i += batchesPerCall) {
        results.addAll(engine.steps(inputs.subList(i, Math.min(STEPS, i + batchesPerCall))));
      }
      assertEquals(STEPS / accumulation, engine.steps());
      return new Run(results, engine.parameters());
    }
  }

  /** Batches of several sizes, as buckets and the end of an epoch make them. */
  private static List<HostTensor> batch(OnnxModel model, int number) {
    int rows = 1 + number % 3;
    int columns = 3 + number * 5 % 7;
    List<HostTensor> batch = new ArrayList<>(ProbeInput.of(model.graph(), rows, columns, number));
    long[] labels = new Random(number).longs(rows, 0, 2).toArray();
    batch.add(Gradients.longs("labels", labels, rows));
    return batch;
  }
}
