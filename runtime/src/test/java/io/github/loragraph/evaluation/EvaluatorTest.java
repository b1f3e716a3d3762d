package io.github.loragraph.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.data.Values;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EvaluatorTest {
  private final List<String> batches = new ArrayList<>();

  /** Answers each example with the number that it begins with. */
  private final Classifier classifier =
      batch -> {
        HostTensor ids = batch.get(0);
        int rows = (int) ids.shape()[0];
        int tokens = (int) ids.shape()[1];
        batches.add(rows + "x" + tokens);
        float[][] logits = new float[rows][];
        for (int row = 0; row < rows; row++) {
          logits[row] = new float[] {ids.data().getLong(8 * row * tokens)};
        }
        return logits;
      };

  private static float[][] logits(Classifier classifier, long rows, int... lengths) {
    List<Example> examples = new ArrayList<>();
    for (int length : lengths) {
      int[] ids = new int[length];
      ids[0] = examples.size() + 1;
      examples.add(new Example(Map.of("input_ids", Values.of(ids)), null));
    }
    ValueInfo ids = ValueInfo.of("input_ids", TensorType.of(ElementType.INT64, rows, -1));
    return new Evaluator(List.of(ids), 0).logits(classifier, examples);
  }

  private static final float[][] IN_ORDER = {{1}, {2}, {3}, {4}, {5}, {6}};

  /** Long ones first, of which few are answered at once, one at least. */
  @Test
  void batchesHaveAsManyTokensAsAreWorthIt() {
    assertArrayEquals(IN_ORDER, logits(classifier, -1, 100, 3, 600, 200, 100, 250));
    assertEquals(List.of("1x600", "2x250", "3x100"), batches);
  }

  @Test
  void elsewhereBatchesMayBeLarger() {
    Classifier large =
        new Classifier() {
          @Override
          public float[][] logits(List<HostTensor> batch) {
            return classifier.logits(batch);
          }

          @Override
          public int tokensAtOnce() {
            return Integer.MAX_VALUE;
          }
        };
    List<Integer> before = new ArrayList<>();
    assertArrayEquals(
        IN_ORDER,
        logits(large.after(() -> before.add(batches.size())), -1, 100, 3, 600, 200, 100, 250));
    assertEquals(List.of("6x600"), batches);
    assertEquals(List.of(0), before);
  }

  /** A model that takes so many rows gets them, the last ones filled up. */
  @Test
  void batchesOfAFixedSize() {
    assertArrayEquals(IN_ORDER, logits(classifier, 4, 300, 3, 600, 200, 100, 250));
    assertEquals(List.of("4x600", "4x600"), batches);
  }
}
