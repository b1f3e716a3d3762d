package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.check.Oracle;
import io.github.loragraph.check.OracleDifferences;
import io.github.loragraph.check.OrtRun;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.GradientLoss;
import io.github.loragraph.training.GraphOptions;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Optimization;
import io.github.loragraph.training.SentenceEmbedding;
import io.github.loragraph.training.StepGraph;
import io.github.loragraph.training.Towers;
import io.github.loragraph.training.TrainingGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A graph of groups of texts against one encoder that gets all of them as rows. */
class TowersTest {
  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 2);
  private static final int DIMENSION = 16;
  private static final int BATCH = 3;
  private static final int TEXTS = 2;
  private static final int ANCHOR_TOKENS = 4;
  private static final int TEXT_TOKENS = 7;

  private final Random random = new Random(5);

  private static OnnxModel embedding() {
    OnnxModel model =
        new OracleDifferences(Oracle.of("sbert-cosine"), SESSIONS).withOracleAdapters();
    return SentenceEmbedding.of(
            model, null, null, new SessionShapeInference(OrtRuntime.ofThisProcess()))
        .model();
  }

  private static Set<String> trainable(OnnxModel model, Method method) {
    return new TrainableSelection(method, null, false, false).values(model);
  }

  private long[] ids(int count) {
    return random.longs(count, 3, 60).toArray();
  }

  /** 1 for at least one token of each row, then 0. */
  private long[] mask(int rows, int tokens) {
    long[] mask = new long[rows * tokens];
    for (int row = 0; row < rows; row++) {
      int length = 1 + random.nextInt(tokens);
      for (int t = 0; t < length; t++) {
        mask[row * tokens + t] = 1;
      }
    }
    return mask;
  }

  private final long[] anchorIds = ids(BATCH * ANCHOR_TOKENS);
  private final long[] anchorMask = mask(BATCH, ANCHOR_TOKENS);
  private final long[] textIds = ids(BATCH * TEXTS * TEXT_TOKENS);
  private final long[] textMask = mask(BATCH * TEXTS, TEXT_TOKENS);

  private List<HostTensor> anchors() {
    return List.of(
        Gradients.longs("anchor.input_ids", anchorIds, BATCH, ANCHOR_TOKENS),
        Gradients.longs("anchor.attention_mask", anchorMask, BATCH, ANCHOR_TOKENS));
  }

  private List<HostTensor> groups() {
    List<HostTensor> groups = new ArrayList<>(anchors());
    groups.add(Gradients.longs("texts.input_ids", textIds, BATCH, TEXTS, TEXT_TOKENS));
    groups.add(Gradients.longs("texts.attention_mask", textMask, BATCH, TEXTS, TEXT_TOKENS));
    return groups;
  }

  private static float[] rows(OnnxModel embedding, long[] ids, long[] mask, int rows) {
    int tokens = ids.length / rows;
    return OrtRun.run(
            embedding,
            List.of(
                Gradients.longs("input_ids", ids, rows, tokens),
                Gradients.longs("attention_mask", mask, rows, tokens)),
            SESSIONS)
        .get("sentence_embedding");
  }

  private float[] expected(OnnxModel embedding) {
    float[] anchors = rows(embedding, anchorIds, anchorMask, BATCH);
    float[] texts = rows(embedding, textIds, textMask, BATCH * TEXTS);
    float[] all = new float[BATCH * (1 + TEXTS) * DIMENSION];
    int width = (1 + TEXTS) * DIMENSION;
    for (int row = 0; row < BATCH; row++) {
      System.arraycopy(anchors, row * DIMENSION, all, row * width, DIMENSION);
      System.arraycopy(
          texts, row * TEXTS * DIMENSION, all, row * width + DIMENSION, TEXTS * DIMENSION);
    }
    return all;
  }

  @Test
  void theAnchorComesFirst() {
    OnnxModel embedding = embedding();
    float[] expected = expected(embedding);
    OnnxModel towers = Towers.of(embedding);
    assertArrayEquals(
        expected, OrtRun.run(towers, groups(), SESSIONS).get(Towers.EMBEDDINGS), 1e-6f);
    float[] texts = rows(embedding, textIds, textMask, BATCH * TEXTS);
    List<HostTensor> given = new ArrayList<>(anchors());
    given.add(Gradients.floats(Towers.VECTORS, texts, BATCH, TEXTS, DIMENSION));
    assertArrayEquals(
        expected,
        OrtRun.run(Towers.anchorOnly(embedding), given, SESSIONS).get(Towers.EMBEDDINGS),
        1e-6f);
    assertArrayEquals(
        rows(embedding, anchorIds, anchorMask, BATCH),
        OrtRun.run(Towers.anchorAlone(embedding), anchors(), SESSIONS).get(Towers.EMBEDDINGS),
        1e-6f);
    Map<String, Tensor> weights = embedding.graph().initializers();
    weights.forEach((name, tensor) -> assertTrue(towers.graph().initializer(name) == tensor, name));
  }

  /** The gradient of a weight is the sum of those of both towers. */
  @ParameterizedTest
  @EnumSource(
      value = Method.class,
      names = {"LORA", "FULL"})
  void gradientsAreThoseOfOneEncoderOverAllRows(Method method) {
    OnnxModel embedding = embedding();
    Set<String> trainable = trainable(embedding, method);
    float[] factors = new float[BATCH * (1 + TEXTS) * DIMENSION];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = (float) random.nextGaussian();
    }
    List<HostTensor> batch = new ArrayList<>(groups());
    batch.add(Gradients.floats("labels", factors, BATCH, 1 + TEXTS, DIMENSION));
    Gradients both = Gradients.of(Towers.of(embedding), trainable, new GradientLoss(), batch);

    // All texts are anchors without texts, so that one encoder has them.
    int width = (1 + TEXTS) * DIMENSION;
    float[] ofAnchors = new float[BATCH * DIMENSION];
    float[] ofTexts = new float[BATCH * TEXTS * DIMENSION];
    for (int row = 0; row < BATCH; row++) {
      System.arraycopy(factors, row * width, ofAnchors, row * DIMENSION, DIMENSION);
      System.arraycopy(
          factors, row * width + DIMENSION, ofTexts, row * TEXTS * DIMENSION, TEXTS * DIMENSION);
    }
    OnnxModel alone = Towers.anchorAlone(embedding);
    Gradients anchors = alone(alone, trainable, anchorIds, anchorMask, ofAnchors, BATCH);
    Gradients texts = alone(alone, trainable, textIds, textMask, ofTexts, BATCH * TEXTS);
    assertEquals(anchors.loss() + texts.loss(), both.loss(), 1e-5);
    assertEquals(anchors.byValue().keySet(), both.byValue().keySet());
    both.byValue()
        .forEach(
            (value, gradient) -> {
              float[] sum = anchors.byValue().get(value).clone();
              for (int i = 0; i < sum.length; i++) {
                sum[i] += texts.byValue().get(value)[i];
              }
              assertArrayEquals(sum, gradient, 2e-5f, value);
            });
  }

  private static Gradients alone(
      OnnxModel model, Set<String> trainable, long[] ids, long[] mask, float[] factors, int rows) {
    int tokens = ids.length / rows;
    return Gradients.of(
        model,
        trainable,
        new GradientLoss(),
        List.of(
            Gradients.longs("anchor.input_ids", ids, rows, tokens),
            Gradients.longs("anchor.attention_mask", mask, rows, tokens),
            Gradients.floats("labels", factors, rows, 1, DIMENSION)));
  }

  @Test
  void oneTowerIsHalfOfTwo() {
    OnnxModel embedding = embedding();
    int both = stepNodes(Towers.of(embedding));
    int one = stepNodes(Towers.anchorOnly(embedding));
    int alone = stepNodes(Towers.anchorAlone(embedding));
    assertTrue(both < 2 * one, both + " nodes of two towers, " + one + " of one");
    assertTrue(alone <= one, alone + " nodes without texts, " + one + " with them");
  }

  /** Of two encoders the pieces of the first are computed again, and then those of the second. */
  @Test
  void piecesAreCountedOverBoth() {
    OnnxModel towers = Towers.of(embedding());
    int pieces = training(towers, Optimization.ALL).pieces();
    assertTrue(pieces > 2, pieces + " pieces");
    int before = training(towers, 0).model().graph().nodes().size();
    for (int again = 1; again <= pieces; again++) {
      int nodes = training(towers, again).model().graph().nodes().size();
      assertTrue(nodes > before, again + " of " + pieces + " pieces");
      before = nodes;
    }
    assertEquals(before, training(towers, pieces + 1).model().graph().nodes().size());
  }

  private static TrainingGraph training(OnnxModel towers, int recomputed) {
    return TrainingGraph.build(
        towers,
        trainable(towers, Method.LORA),
        new GradientLoss(),
        GraphOptions.PLAIN.recomputing(recomputed),
        new SessionShapeInference(OrtRuntime.ofThisProcess()));
  }

  private static int stepNodes(OnnxModel towers) {
    return StepGraph.of(training(towers, 0), AdamW.defaults(), 0).model().graph().nodes().size();
  }

  @Test
  void onlyWhatAsksForEmbeddingsTakesThem() {
    OnnxModel towers = Towers.of(embedding());
    assertEquals(
        Logits.Form.EMBEDDINGS,
        Logits.of(towers, new GradientLoss().forms(), Logits.DECLARED).form());
    assertEquals(Logits.Form.TOKEN_CLASSES, Logits.of(towers, List.of(), Logits.DECLARED).form());
    assertNull(embedding().metadata().get(Logits.CHOSEN));
  }

  @Test
  void inputsOfOtherShapesAreRefused() {
    for (TensorType type :
        List.of(TensorType.of(ElementType.INT64, 4, -1), TensorType.of(ElementType.INT64, -1))) {
      OnnxModel embedding = embedding();
      Graph graph = embedding.graph().copy();
      graph.addInput(ValueInfo.of("attention_mask", type));
      String message =
          assertThrows(LoraGraphException.class, () -> Towers.of(embedding.withGraph(graph)))
              .getMessage();
      assertTrue(message.contains("'attention_mask' is of shape ["), message);
    }
  }
}
