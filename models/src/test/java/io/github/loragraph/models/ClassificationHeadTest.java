package io.github.loragraph.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.cache.ToolCache;
import io.github.loragraph.data.Example;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.Predictor;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ClassificationHeadTest {
  @TempDir Path cache;

  @ParameterizedTest
  @EnumSource
  void aHeadOnTheBundledEncoder(ClassificationHead.Pooling pooling) {
    ModelFolder folder = BundledModel.ALL_MINILM_L6_V2.unpack(ToolCache.in(cache));
    OnnxModel encoder = OnnxFile.read(folder.modelFile());
    OnnxModel model =
        ClassificationHead.add(
            encoder, 3, pooling, 1, new SessionShapeInference(OrtRuntime.ofThisProcess()));
    assertEquals(
        384 * 384 + 384 + 384 * 3 + 3,
        Parameters.of(model).stream()
            .filter(p -> p.name().startsWith("classifier."))
            .mapToLong(Parameter::count)
            .sum());
    try (Predictor predictor =
        new Predictor(model, 0, new Sessions(OrtRuntime.ofThisProcess(), 2))) {
      float[] alone = predictor.logits(List.of(example(101, 7592, 102)))[0];
      float[][] padded =
          predictor.logits(
              List.of(example(101, 7592, 102), example(101, 2000, 3000, 4000, 5000, 102)));
      assertEquals(3, alone.length);
      for (int i = 0; i < alone.length; i++) {
        assertTrue(Float.isFinite(alone[i]));
        // Padding must not show in the answer.
        assertEquals(alone[i], padded[0][i], 1e-5f);
      }
    }
    assertThrows(
        LoraGraphException.class,
        () ->
            ClassificationHead.add(
                model, 3, pooling, 1, new SessionShapeInference(OrtRuntime.ofThisProcess())),
        "has one");
  }

  private static Example example(int... ids) {
    return new Example(
        Map.of(
            "input_ids",
            Values.of(ids),
            "attention_mask",
            Values.ones(ids.length),
            "token_type_ids",
            Values.zeros(ids.length)),
        null);
  }
}
