package io.github.loragraph.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Each loss against its formula, in double precision. */
class LossTest {
  private static final double[][] LOGITS = {{0.5, -1.25, 2}, {-3, 0.75, 0.1}};

  private static double run(Loss loss, Object logits, Object labels, long... shape) {
    ElementType real = logits instanceof float[][] ? ElementType.FLOAT : ElementType.DOUBLE;
    TensorType type = TensorType.of(real, shape);
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("logits", type));
    graph.addInput(loss.labels(type));
    String output = loss.emit(new GraphBuilder(graph, "/loss"), "logits", type);
    graph.addOutput(ValueInfo.untyped(output));
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    byte[] model =
        OnnxFile.serialize(OnnxModel.of("loss", graph, 9, GraphBuilder.OPSET), t -> false);
    try (OrtSession session = environment.createSession(model);
        OnnxTensor x = OnnxTensor.createTensor(environment, logits);
        OnnxTensor y = OnnxTensor.createTensor(environment, labels)) {
      Map<String, OnnxTensorLike> feeds = Map.of("logits", x, Loss.LABELS, y);
      try (OrtSession.Result result = session.run(feeds)) {
        OnnxTensor value = (OnnxTensor) result.get(0);
        return real == ElementType.FLOAT
            ? value.getFloatBuffer().get(0)
            : value.getDoubleBuffer().get(0);
      }
    } catch (OrtException e) {
      throw new AssertionError(e);
    }
  }

  private static double logProbability(double[] row, int label) {
    double sum = 0;
    for (double x : row) {
      sum += Math.exp(x);
    }
    return row[label] - Math.log(sum);
  }

  @Test
  void crossEntropyIsTheMeanOverTheBatch() {
    double expected = -(logProbability(LOGITS[0], 2) + logProbability(LOGITS[1], 0)) / 2;
    assertEquals(expected, run(CrossEntropyLoss.plain(), LOGITS, new long[] {2, 0}, 2, 3), 1e-12);
  }

  @Test
  void crossEntropyWithWeightsDividesByTheirSum() {
    List<Double> weights = List.of(0.5, 1.0, 4.0);
    double expected =
        -(4 * logProbability(LOGITS[0], 2) + 0.5 * logProbability(LOGITS[1], 0)) / 4.5;
    assertEquals(
        expected,
        run(new CrossEntropyLoss(0, weights, null), LOGITS, new long[] {2, 0}, 2, 3),
        1e-12);
  }

  @Test
  void labelSmoothingSpreadsTheTarget() {
    double expected = 0;
    int[] labels = {2, 0};
    for (int i = 0; i < 2; i++) {
      for (int c = 0; c < 3; c++) {
        double target = 0.1 / 3 + (c == labels[i] ? 0.9 : 0);
        expected -= target * logProbability(LOGITS[i], c) / 2;
      }
    }
    assertEquals(
        expected,
        run(new CrossEntropyLoss(0.1, List.of(), null), LOGITS, new long[] {2, 0}, 2, 3),
        1e-12);
  }

  @Test
  void ignoredTokensCountNothing() {
    double[][][] tokens = {LOGITS};
    assertEquals(
        -logProbability(LOGITS[1], 1),
        run(
            new CrossEntropyLoss(0, List.of(), CrossEntropyLoss.IGNORE_INDEX),
            tokens,
            new long[][] {{-100, 1}},
            1,
            2,
            3),
        1e-12);
  }

  @Test
  void meanSquaredError() {
    double[][] outputs = {{1.5}, {-2}};
    double expected = (0.5 * 0.5 + 3 * 3) / 2;
    assertEquals(
        expected, run(new MeanSquaredErrorLoss(), outputs, new double[] {1, 1}, 2, 1), 1e-12);
  }

  @Test
  void binaryCrossEntropyIsTheMeanOverAllClasses() {
    double[][] targets = {{1, 0, 1}, {0, 0.5, 1}};
    double expected = 0;
    for (int i = 0; i < 2; i++) {
      for (int c = 0; c < 3; c++) {
        double p = 1 / (1 + Math.exp(-LOGITS[i][c]));
        expected -= targets[i][c] * Math.log(p) + (1 - targets[i][c]) * Math.log(1 - p);
      }
    }
    // The CPU kernel of Softplus is there for single precision only.
    float[][] logits = new float[2][3];
    float[][] labels = new float[2][3];
    for (int i = 0; i < 6; i++) {
      logits[i / 3][i % 3] = (float) LOGITS[i / 3][i % 3];
      labels[i / 3][i % 3] = (float) targets[i / 3][i % 3];
    }
    assertEquals(expected / 6, run(new BinaryCrossEntropyLoss(), logits, labels, 2, 3), 1e-6);
  }

  @Test
  void largeLogitsOverflowNothing() {
    float[][] logits = {{1000, -1000}};
    float[][] labels = {{0, 0}};
    assertEquals(500, run(new BinaryCrossEntropyLoss(), logits, labels, 1, 2), 1e-3);
  }

  @Test
  void aBatchInWhichNothingCountsHasTheLossZero() {
    CrossEntropyLoss loss = new CrossEntropyLoss(0.1, List.of(), CrossEntropyLoss.IGNORE_INDEX);
    assertEquals(0, run(loss, LOGITS, new long[] {-100, -100}, 2, 3), 0);
  }

  @Test
  void logitsThatDoNotFitAreRefused() {
    TensorType one = TensorType.of(ElementType.FLOAT, -1, 1);
    assertThrows(LoraGraphException.class, () -> CrossEntropyLoss.plain().labels(one));
    TensorType two = TensorType.of(ElementType.FLOAT, -1, 2);
    assertThrows(LoraGraphException.class, () -> new MeanSquaredErrorLoss().labels(two));
    assertThrows(LoraGraphException.class, () -> new CrossEntropyLoss(1, List.of(), null));
  }

  /** Scores, queries and relevance of pairs; the rows of a query do not stand together. */
  private static final double[] SCORES = {0.5, -1.25, 2, -3, 0.75, 0.1};

  private static final double[] QUERIES = {7, 3, 7, 3, 3, 9};
  private static final double[] RELEVANCE = {0, 1, 1, 0.5, 0, 0};

  private static double relevance(RelevanceLoss.Kind kind, double[] relevance) {
    float[][] logits = new float[SCORES.length][1];
    float[][] labels = new float[SCORES.length][];
    for (int i = 0; i < SCORES.length; i++) {
      logits[i][0] = (float) SCORES[i];
      labels[i] = new float[] {(float) QUERIES[i], (float) relevance[i]};
    }
    return run(new RelevanceLoss(kind), logits, labels, SCORES.length, 1);
  }

  /** The cross-entropy of one query's candidates, named by their rows. */
  private static double entropy(double[] targets, int... rows) {
    double[] scores = Arrays.stream(rows).mapToDouble(row -> SCORES[row]).toArray();
    double entropy = 0;
    for (int i = 0; i < rows.length; i++) {
      entropy -= targets[i] * logProbability(scores, i);
    }
    return entropy;
  }

  @Test
  void relevanceOfPairsIsBinaryCrossEntropyWithLogits() {
    double expected = 0;
    for (int i = 0; i < SCORES.length; i++) {
      double p = 1 / (1 + Math.exp(-SCORES[i]));
      expected -= RELEVANCE[i] * Math.log(p) + (1 - RELEVANCE[i]) * Math.log(1 - p);
    }
    assertEquals(
        expected / SCORES.length,
        relevance(RelevanceLoss.Kind.BINARY_CROSS_ENTROPY, RELEVANCE),
        1e-6);
  }

  /** Query 9 has no relevant document, and teaches nothing. */
  @Test
  void listwiseSoftmaxIsTheMeanOverTheQueriesThatHaveARelevantDocument() {
    double expected =
        entropy(new double[] {0, 1}, 0, 2) + entropy(new double[] {1 / 1.5, 0.5 / 1.5, 0}, 1, 3, 4);
    assertEquals(expected / 2, relevance(RelevanceLoss.Kind.LISTWISE_SOFTMAX, RELEVANCE), 1e-6);
    assertEquals(0, relevance(RelevanceLoss.Kind.LISTWISE_SOFTMAX, new double[6]), 0);
  }

  /** ListNet's targets are probabilities, too; one candidate alone has nothing to learn. */
  @Test
  void listNetTakesTheSoftmaxOfTheRelevance() {
    double e = Math.E;
    double h = Math.exp(0.5);
    double expected =
        entropy(new double[] {1 / (1 + e), e / (1 + e)}, 0, 2)
            + entropy(new double[] {e / (e + h + 1), h / (e + h + 1), 1 / (e + h + 1)}, 1, 3, 4);
    assertEquals(expected / 3, relevance(RelevanceLoss.Kind.LIST_NET, RELEVANCE), 1e-6);
    double even = 1.0 / 3;
    double uniform =
        entropy(new double[] {0.5, 0.5}, 0, 2) + entropy(new double[] {even, even, even}, 1, 3, 4);
    assertEquals(uniform / 3, relevance(RelevanceLoss.Kind.LIST_NET, new double[6]), 1e-6);
  }

  @Test
  void relevanceCountsByPairsOrByQueries() {
    List<double[]> rows =
        List.of(new double[] {7, 0}, new double[] {3, 1}, new double[] {3, 0}, new double[] {3, 1});
    assertEquals(4, new RelevanceLoss(RelevanceLoss.Kind.BINARY_CROSS_ENTROPY).weight(rows));
    assertEquals(1, new RelevanceLoss(RelevanceLoss.Kind.LISTWISE_SOFTMAX).weight(rows));
    assertEquals(2, new RelevanceLoss(RelevanceLoss.Kind.LIST_NET).weight(rows));
  }

  @Test
  void pairsThatCountNothing() {
    Loss loss =
        new RelevanceLoss(RelevanceLoss.Kind.BINARY_CROSS_ENTROPY).ignoring(-100).orElseThrow();
    float[][] logits = {{0.5f}, {-2}, {3}};
    float[][] labels = {{0, 1}, {-100, -100}, {1, 0}};
    double expected = (Math.log(1 + Math.exp(-0.5)) + Math.log(1 + Math.exp(3))) / 2;
    assertEquals(expected, run(loss, logits, labels, 3, 1), 1e-6);
    assertEquals(
        2,
        loss.weight(List.of(new double[] {0, 1}, new double[] {-100, -100}, new double[] {1, 0})));
    float[][] none = {{-100, -100}, {-100, -100}, {-100, -100}};
    assertEquals(0, run(loss, logits, none, 3, 1), 0);
  }

  @Test
  void aRerankerHasOneOutput() {
    TensorType two = TensorType.of(ElementType.FLOAT, -1, 2);
    RelevanceLoss loss = new RelevanceLoss(RelevanceLoss.Kind.LIST_NET);
    assertThrows(LoraGraphException.class, () -> loss.labels(two));
  }
}
