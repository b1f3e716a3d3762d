package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.check.Difference;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.check.OracleDifferences;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Models of embeddings: every number that PyTorch has for them, with the fixtures' tolerances. */
class EmbeddingOracleTest {
  private static final double LOGITS = 1e-5;
  private static final double GRADIENTS = 1e-5;
  private static final double AFTER_ONE_STEP = 1e-5;
  private static final double CURVE = 2e-5;
  private static final double MERGED = 1e-6;
  private static final double FINAL = 5e-5;

  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 2);

  static List<String> models() {
    return Oracle.EMBEDDING_MODELS;
  }

  @ParameterizedTest
  @MethodSource("models")
  void embeddings(String name) {
    assertWithin(LOGITS, of(name).baseLogits());
    assertWithin(LOGITS, of(name).adaptedLogits());
  }

  @ParameterizedTest
  @MethodSource("models")
  void gradientsOfAdapters(String name) {
    OracleDifferences.Gradients gradients = of(name).adapterGradients();
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
  void mergedWeights(String name) {
    OracleDifferences.Merged merged = of(name).merged();
    assertWithin(MERGED, merged.weights());
    assertWithin(LOGITS, merged.logits());
  }

  private static OracleDifferences of(String name) {
    return new OracleDifferences(Oracle.of(name), SESSIONS);
  }

  private static void assertWithin(double tolerance, Difference difference) {
    assertTrue(difference.isWithin(tolerance), difference::where);
  }
}
