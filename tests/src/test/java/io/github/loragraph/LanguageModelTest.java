package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.check.Difference;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.check.OracleDifferences;
import io.github.loragraph.lora.Linear;
import io.github.loragraph.lora.LinearFinder;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Language models: every number that PyTorch has for them, with the fixtures' tolerances. */
class LanguageModelTest {
  private static final double LOGITS = 1e-5;
  private static final double GRADIENTS = 1e-5;
  private static final double AFTER_ONE_STEP = 1e-5;
  private static final double CURVE = 2e-5;
  private static final double MERGED = 1e-6;
  private static final double FINAL = 5e-5;

  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 2);

  static List<String> models() {
    return Oracle.LANGUAGE_MODELS;
  }

  @ParameterizedTest
  @MethodSource("models")
  void linearsAreFound(String name) throws IOException {
    JsonNode expected;
    try (InputStream in =
        LanguageModelTest.class.getResourceAsStream("/language-models/" + name + "/linears.json")) {
      expected = new ObjectMapper().readTree(in);
    }
    Map<String, Linear> found = new HashMap<>();
    LinearFinder.find(Oracle.of(name).model().graph()).forEach(l -> found.put(l.path(), l));
    assertEquals(expected.size(), found.size());
    for (JsonNode e : expected) {
      String path = e.get("path").asText();
      Linear linear = found.get(path);
      assertEquals(e.get("in_features").asLong(), linear.in(), path);
      assertEquals(e.get("out_features").asLong(), linear.out(), path);
      assertEquals(e.get("op").asText(), linear.op(), path);
      assertEquals(e.get("weight_initializer").asText(), linear.weight(), path);
      assertEquals(e.get("node").asText(), linear.sites().get(0).node().name(), path);
    }
  }

  /** A tied weight counts once. */
  @ParameterizedTest
  @MethodSource("models")
  void parametersAreCountedAsPyTorchCounts(String name) {
    Oracle oracle = Oracle.of(name);
    assertEquals(oracle.number("/counts/base_total"), total(oracle.model()));
    assertEquals(
        oracle.tensors("/grads_full").keySet().stream().sorted().toList(),
        Parameters.of(oracle.model()).stream().map(Parameter::name).sorted().toList());
    OnnxModel injected = of(name).injected();
    assertEquals(oracle.number("/counts/total"), total(injected));
    assertEquals(
        oracle.number("/counts/trainable"),
        Parameters.of(injected).stream()
            .filter(Parameter::trainable)
            .mapToLong(Parameter::count)
            .sum());
  }

  @ParameterizedTest
  @MethodSource("models")
  void logits(String name) {
    assertWithin(LOGITS, of(name).baseLogits());
    assertWithin(LOGITS, of(name).adaptedLogits());
  }

  @ParameterizedTest
  @MethodSource("models")
  void gradientsOfAdapters(String name) {
    checkGradients(of(name).adapterGradients());
  }

  /** The gradient of a tied weight is the sum over its uses. */
  @ParameterizedTest
  @MethodSource("models")
  void gradientsOfAllParameters(String name) {
    checkGradients(of(name).fullGradients());
  }

  private static void checkGradients(OracleDifferences.Gradients gradients) {
    assertWithin(LOGITS, gradients.loss());
    assertWithin(GRADIENTS, gradients.gradients());
  }

  @ParameterizedTest
  @MethodSource("models")
  void twentyStepsOfAdamW(String name) {
    OracleDifferences.Training training = of(name).training();
    assertWithin(AFTER_ONE_STEP, training.afterOneStep());
    assertWithin(CURVE, training.curve());
    assertWithin(FINAL, training.last());
    assertWithin(FINAL, training.merged());
    assertWithin(CURVE, training.mergedLogits());
  }

  @ParameterizedTest
  @MethodSource("models")
  void mergedWeightsAndLogits(String name) {
    OracleDifferences.Merged merged = of(name).merged();
    assertWithin(MERGED, merged.weights());
    assertWithin(LOGITS, merged.logits());
  }

  private static OracleDifferences of(String name) {
    return new OracleDifferences(Oracle.of(name), SESSIONS);
  }

  private static long total(OnnxModel model) {
    return Parameters.of(model).stream().mapToLong(Parameter::count).sum();
  }

  private static void assertWithin(double tolerance, Difference difference) {
    assertTrue(difference.isWithin(tolerance), difference::where);
  }
}
