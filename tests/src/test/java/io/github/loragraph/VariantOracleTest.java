package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.check.Difference;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.check.OracleDifferences;
import io.github.loragraph.lora.LoraMerger;
import io.github.loragraph.lora.LoraRemover;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** LoRA and DoRA as PEFT has them: every number of PyTorch's. */
class VariantOracleTest {
  private static final double LOGITS = 1e-5;
  private static final double CURVE = 2e-5;
  private static final double MERGED = 1e-6;
  private static final double FINAL = 5e-5;

  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 2);

  static List<String> oracles() {
    return Oracle.PEFT;
  }

  @ParameterizedTest
  @MethodSource("oracles")
  void parametersAreCountedAsPeftCounts(String name) {
    OnnxModel injected = of(name).injected();
    Oracle oracle = Oracle.of(name);
    assertEquals(
        oracle.number("/counts/total"),
        Parameters.of(injected).stream().mapToLong(Parameter::count).sum());
    assertEquals(
        oracle.number("/counts/trainable"),
        Parameters.of(injected).stream()
            .filter(Parameter::trainable)
            .mapToLong(Parameter::count)
            .sum());
  }

  @ParameterizedTest
  @MethodSource("oracles")
  void logitsOfBaseAndAdapted(String name) {
    assertWithin(LOGITS, of(name).baseLogits());
    assertWithin(LOGITS, of(name).adaptedLogits());
  }

  @ParameterizedTest
  @MethodSource("oracles")
  void gradientsOfAdaptersMagnitudesAndHead(String name) {
    OracleDifferences.Gradients gradients = of(name).adapterGradients();
    assertWithin(LOGITS, gradients.loss());
    assertWithin(LOGITS, gradients.gradients());
  }

  @ParameterizedTest
  @MethodSource("oracles")
  void twentyStepsOfAdamW(String name) {
    OracleDifferences.Training training = of(name).training();
    assertWithin(LOGITS, training.afterOneStep());
    assertWithin(CURVE, training.curve());
    assertWithin(FINAL, training.last());
    assertWithin(FINAL, training.merged());
    assertWithin(CURVE, training.mergedLogits());
  }

  @ParameterizedTest
  @MethodSource("oracles")
  void mergedAndRemoved(String name) {
    OracleDifferences differences = of(name);
    OracleDifferences.Merged merged = differences.merged();
    assertWithin(MERGED, merged.weights());
    assertWithin(LOGITS, merged.logits());
    OnnxModel base = Oracle.of(name).model();
    OnnxModel adapted = differences.withOracleAdapters();
    assertEquals(nodes(base), nodes(LoraMerger.merge(adapted)));
    OnnxModel removed = LoraRemover.remove(adapted);
    assertEquals(nodes(base), nodes(removed));
    assertEquals(base.graph().initializers().keySet(), removed.graph().initializers().keySet());
    base.graph()
        .initializers()
        .forEach(
            (key, tensor) -> {
              byte[] before = new byte[tensor.bytes().remaining()];
              tensor.bytes().duplicate().get(before);
              byte[] after = new byte[before.length];
              removed.graph().initializers().get(key).bytes().duplicate().get(after);
              assertArrayEquals(before, after, key);
            });
  }

  private static OracleDifferences of(String name) {
    return new OracleDifferences(Oracle.of(name), SESSIONS);
  }

  private static List<String> nodes(OnnxModel model) {
    return model.graph().nodes().stream().map(Object::toString).toList();
  }

  private static void assertWithin(double tolerance, Difference difference) {
    assertTrue(difference.isWithin(tolerance), difference::where);
  }
}
