package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.check.Oracle;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.engine.Engines;
import io.github.loragraph.lora.InitializerUntying;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Optimization;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A tied weight trained by both engines, and untied. */
@Tag("training-api")
class LanguageModelEnginesTest {
  private static final String TABLE = "transformer.wte.weight";
  private static final String COPY = "onnx::MatMul_627";

  private final Oracle oracle = Oracle.of("gpt2-lm");

  @Test
  void aTiedWeightStaysOneInBothEngines() {
    OnnxModel model = oracle.model();
    Map<String, Tensor> first = trained(EngineKind.GRAPH, false);
    Map<String, Tensor> second = trained(EngineKind.TRAINING_API, false);
    assertEquals(first.keySet(), second.keySet());
    first.forEach(
        (name, tensor) ->
            assertArrayEquals(
                withoutKeyBias(name, tensor), withoutKeyBias(name, second.get(name)), 2e-6f, name));
    OnnxModel written = InitializerUntying.withValues(model, first);
    float[] table = written.graph().initializer(TABLE).toFloats();
    float[] copy = written.graph().initializer(COPY).toFloats();
    for (int i = 0; i < 48; i++) {
      for (int j = 0; j < 16; j++) {
        assertEquals(table[i * 16 + j], copy[j * 48 + i]);
      }
    }
  }

  /**
   * The softmax does not see what is added to all keys: that bias has the gradient 0, of which
   * AdamW's first steps would make the sign of a rounding error.
   */
  private static float[] withoutKeyBias(String name, Tensor tensor) {
    float[] values = tensor.toFloats();
    if (name.endsWith("attn.c_attn.bias")) {
      Arrays.fill(values, values.length / 3, 2 * values.length / 3, 0);
    }
    return values;
  }

  @Test
  void untiedCopiesGoTheirOwnWays() {
    Map<String, Tensor> apart = trained(EngineKind.GRAPH, true);
    float[] table = apart.get(TABLE).toFloats();
    float[] copy = apart.get(COPY).toFloats();
    int different = 0;
    for (int i = 0; i < 48; i++) {
      for (int j = 0; j < 16; j++) {
        different += table[i * 16 + j] == copy[j * 48 + i] ? 0 : 1;
      }
    }
    assertEquals(true, different > 100);
  }

  private Map<String, Tensor> trained(EngineKind kind, boolean untied) {
    OnnxModel model = oracle.model();
    Engines engines =
        new Engines(
            model,
            new TrainableSelection(Method.FULL, null, false, untied).values(model),
            oracle.loss(),
            new Optimization(AdamW.defaults(), 1, LoraDropout.NONE),
            1,
            1,
            0,
            new Sessions(OrtRuntime.open(OrtRuntime.Build.TRAINING), 2));
    List<HostTensor> batch = new ArrayList<>(oracle.inputs());
    batch.add(oracle.labels());
    try (Engines.Opened opened = engines.open(kind, null, 1, null, line -> {})) {
      for (int i = 0; i < 3; i++) {
        opened.engine().step(batch, 1e-3);
      }
      return opened.engine().parameters();
    }
  }
}
