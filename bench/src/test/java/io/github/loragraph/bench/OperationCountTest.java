package io.github.loragraph.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.lora.Method;
import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.Graph;
import org.junit.jupiter.api.Test;

/** Counts that can be worked out by hand. */
class OperationCountTest {
  private static final int HIDDEN = 8;
  private static final int INNER = 16;
  private static final int BATCH = 3;
  private static final int SEQUENCE = 5;
  private static final int ROWS = BATCH * SEQUENCE;

  private static final Graph ONE_LAYER =
      new ReferenceArchitecture(HIDDEN, 1, 2, INNER, 20, 16, 2).model(0).graph();

  /** Keys and values of all tokens; the rest of the first alone, which the head reads. */
  private static final int FORWARD =
      2 * 2 * ROWS * HIDDEN * HIDDEN
          + 2 * 2 * BATCH * HIDDEN * HIDDEN
          + 2 * 2 * BATCH * HIDDEN * INNER
          + 2 * 2 * BATCH * SEQUENCE * HIDDEN
          + 2 * BATCH * HIDDEN * (HIDDEN + 2);

  private static OperationCount count(Method method) {
    return OperationCount.of(ONE_LAYER, method, BATCH, SEQUENCE);
  }

  @Test
  void aForwardPassIsItsLinearsAndAttention() {
    assertEquals(FORWARD, count(Method.HEAD).forward());
    assertEquals(FORWARD, count(Method.FULL).forward());
  }

  @Test
  void theHeadAloneAsksForNoGradientBelowIt() {
    int weights = 2 * BATCH * HIDDEN * (HIDDEN + 2);
    int betweenItsLayers = 2 * BATCH * HIDDEN * 2;
    assertEquals(FORWARD + weights + betweenItsLayers, count(Method.HEAD).step());
  }

  @Test
  void aStepOfAllParametersIsThreeForwardPasses() {
    assertEquals(3 * FORWARD, count(Method.FULL).step());
  }
}
