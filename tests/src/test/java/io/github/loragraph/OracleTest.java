package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.check.Difference;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.check.OracleDifferences;
import io.github.loragraph.lora.LoraMerger;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every number that PyTorch has for the fixtures, within the tolerances that their README gives.
 */
class OracleTest {
  private static final double LOGITS = 1e-5;
  private static final double GRADIENTS = 1e-5;
  private static final double AFTER_ONE_STEP = 1e-5;
  private static final double CURVE = 2e-5;
  private static final double MERGED = 1e-6;
  private static final double FINAL = 5e-5;

  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 2);

  static List<String> fixtures() {
    return Oracle.FIXTURES;
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void logitsAndLossOfTheModelItself(String fixture) {
    assertWithin(LOGITS, of(fixture).baseLogits());
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void parametersAreCountedAsPyTorchCounts(String fixture) {
    Oracle oracle = Oracle.of(fixture);
    assertEquals(oracle.number("/counts/base_total"), total(oracle.model()));
    OnnxModel injected = of(fixture).injected();
    assertEquals(oracle.number("/counts/total"), total(injected));
    long trainable =
        Parameters.of(injected).stream()
            .filter(Parameter::trainable)
            .mapToLong(Parameter::count)
            .sum();
    assertEquals(oracle.number("/counts/trainable"), trainable);
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void logitsWithAdapters(String fixture) {
    assertWithin(LOGITS, of(fixture).adaptedLogits());
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void gradientsOfAdaptersAndHead(String fixture) {
    checkGradients(of(fixture).adapterGradients());
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void gradientsOfAllParameters(String fixture) {
    checkGradients(of(fixture).fullGradients());
  }

  private static void checkGradients(OracleDifferences.Gradients gradients) {
    assertWithin(LOGITS, gradients.loss());
    assertWithin(GRADIENTS, gradients.gradients());
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void twentyStepsOfAdamW(String fixture) {
    OracleDifferences.Training training = of(fixture).training();
    assertWithin(AFTER_ONE_STEP, training.afterOneStep());
    assertWithin(CURVE, training.curve());
    assertWithin(FINAL, training.last());
    assertWithin(FINAL, training.merged());
    assertWithin(CURVE, training.mergedLogits());
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void mergedWeightsAndLogits(String fixture) {
    OracleDifferences differences = of(fixture);
    OracleDifferences.Merged merged = differences.merged();
    assertWithin(MERGED, merged.weights());
    assertWithin(LOGITS, merged.logits());
    assertEquals(
        nodes(Oracle.of(fixture).model()),
        nodes(LoraMerger.merge(differences.withOracleAdapters())));
  }

  private static OracleDifferences of(String fixture) {
    return new OracleDifferences(Oracle.of(fixture), SESSIONS);
  }

  private static List<String> nodes(OnnxModel model) {
    return model.graph().nodes().stream().map(Object::toString).toList();
  }

  private static long total(OnnxModel model) {
    return Parameters.of(model).stream().mapToLong(Parameter::count).sum();
  }

  private static void assertWithin(double tolerance, Difference difference) {
    assertTrue(difference.isWithin(tolerance), difference::where);
  }
}
