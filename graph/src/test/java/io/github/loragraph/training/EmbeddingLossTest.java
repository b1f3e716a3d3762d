package io.github.loragraph.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape.Dimension;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.training.TripletLoss.Distance;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The losses of embeddings against their definitions, which are written out here in plain loops,
 * and their gradients against central differences of those.
 */
class EmbeddingLossTest {
  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();
  private static final double STEP = 1e-5;
  private static final double TOLERANCE = 1e-7;
  private static final int DIMENSION = 5;
  private static final long NONE = -100;

  /**
   * One batch.
   *
   * @param labels as ONNX Runtime takes them
   * @param formula the loss of embeddings, by its definition
   */
  private record Case(
      String name,
      Loss loss,
      double[][][] embeddings,
      Object labels,
      ToDoubleFunction<double[][][]> formula) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static double[][][] embeddings(int batch, int texts, int dimension) {
    Random random = new Random(31L * batch + texts);
    double[][][] x = new double[batch][texts][dimension];
    for (double[][] row : x) {
      for (double[] text : row) {
        for (int d = 0; d < dimension; d++) {
          text[d] = random.nextGaussian();
        }
      }
    }
    return x;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static double cosine(double[] a, double[] b) {
    return dot(a, b) / Math.sqrt(dot(a, a)) / Math.sqrt(dot(b, b));
  }

  /** One text of a batch. */
  private record Place(int row, int text) {}

  private static double multipleNegatives(
      double[][][] x, long[][] ids, double scale, boolean symmetric) {
    int texts = x[0].length - 1;
    List<Set<Long>> right = new ArrayList<>();
    for (long[] row : ids) {
      Set<Long> known = new HashSet<>();
      for (long[] other : ids) {
        if (other[0] == row[0]) {
          known.add(other[0]);
          known.add(other[1]);
          for (int i = 1 + texts; i < other.length; i++) {
            known.add(other[i]);
          }
        }
      }
      right.add(known);
    }
    double loss = 0;
    double back = 0;
    for (int i = 0; i < x.length; i++) {
      List<Place> candidates = new ArrayList<>();
      List<Integer> anchors = new ArrayList<>();
      for (int j = 0; j < x.length; j++) {
        for (int k = 1; k <= texts; k++) {
          boolean own = j == i && k == 1;
          if (own || (ids[j][k] != NONE && !right.get(i).contains(ids[j][k]))) {
            candidates.add(new Place(j, k));
          }
        }
        if (j == i || !right.get(j).contains(ids[i][1])) {
          anchors.add(j);
        }
      }
      double own = scale * cosine(x[i][0], x[i][1]);
      double sum = 0;
      for (Place place : candidates) {
        sum += Math.exp(scale * cosine(x[i][0], x[place.row][place.text]) - own);
      }
      loss += Math.log(sum) / x.length;
      double backwards = 0;
      for (int j : anchors) {
        backwards += Math.exp(scale * cosine(x[j][0], x[i][1]) - own);
      }
      back += Math.log(backwards) / x.length;
    }
    return symmetric ? (loss + back) / 2 : loss;
  }

  private static double coSent(double[][][] x, double[] labels, double scale) {
    double sum = 1;
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < x.length; j++) {
        if (labels[i] < labels[j]) {
          sum += Math.exp(scale * (cosine(x[i][0], x[i][1]) - cosine(x[j][0], x[j][1])));
        }
      }
    }
    return Math.log(sum);
  }

  private static double distance(Distance distance, double[] a, double[] b) {
    if (distance == Distance.COSINE) {
      return 1 - cosine(a, b);
    }
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += Math.pow(a[i] - b[i] + 1e-6, 2);
    }
    return Math.sqrt(sum);
  }

  private static double triplet(double[][][] x, long[][] ids, double margin, Distance distance) {
    double loss = 0;
    for (int i = 0; i < x.length; i++) {
      double sum = 0;
      int count = 0;
      for (int k = 2; k < x[i].length; k++) {
        if (ids[i][k] != NONE) {
          double above =
              distance(distance, x[i][0], x[i][1]) - distance(distance, x[i][0], x[i][k]) + margin;
          sum += Math.max(0, above);
          count++;
        }
      }
      loss += count == 0 ? 0 : sum / count / x.length;
    }
    return loss;
  }

  private static double marginMse(double[][][] x, double[][] scores) {
    double loss = 0;
    for (int i = 0; i < x.length; i++) {
      double sum = 0;
      int count = 0;
      for (int k = 1; k < scores[i].length; k++) {
        if (scores[i][k] != NONE) {
          double margin = dot(x[i][0], x[i][1]) - dot(x[i][0], x[i][k + 1]);
          sum += Math.pow(margin - (scores[i][0] - scores[i][k]), 2);
          count++;
        }
      }
      loss += count == 0 ? 0 : sum / count / x.length;
    }
    return loss;
  }

  private static double klDivergence(double[][][] x, double[][] scores, double temperature) {
    double loss = 0;
    for (int i = 0; i < x.length; i++) {
      double students = 0;
      double teachers = 0;
      for (int k = 0; k < scores[i].length; k++) {
        if (scores[i][k] != NONE) {
          students += Math.exp(dot(x[i][0], x[i][k + 1]) / temperature);
          teachers += Math.exp(scores[i][k] / temperature);
        }
      }
      for (int k = 0; k < scores[i].length; k++) {
        if (scores[i][k] != NONE) {
          double p = Math.exp(scores[i][k] / temperature) / teachers;
          double q = Math.exp(dot(x[i][0], x[i][k + 1]) / temperature) / students;
          loss += p * Math.log(p / q) / x.length;
        }
      }
    }
    return loss * temperature * temperature;
  }

  private static double corpus(
      double[][][] x, double[][] documents, long[][] labels, double scale) {
    double loss = 0;
    for (int i = 0; i < x.length; i++) {
      double[] unit = cut(x[i], x[i][0].length)[0];
      double own = scale * dot(unit, documents[(int) labels[i][0]]);
      double sum = 0;
      for (int d = 0; d < documents.length; d++) {
        boolean right = false;
        for (long label : labels[i]) {
          right |= label == d;
        }
        if (d == labels[i][0] || !right) {
          sum += Math.exp(scale * dot(unit, documents[d]) - own);
        }
      }
      loss += Math.log(sum) / x.length;
    }
    return loss;
  }

  private static double[][] cut(double[][] vectors, int dimension) {
    double[][] cut = new double[vectors.length][];
    for (int i = 0; i < cut.length; i++) {
      cut[i] = Arrays.copyOf(vectors[i], dimension);
      double length = Math.sqrt(dot(cut[i], cut[i]));
      for (int d = 0; d < dimension; d++) {
        cut[i][d] /= length;
      }
    }
    return cut;
  }

  private static double[][][] cut(double[][][] x, int dimension) {
    double[][][] cut = new double[x.length][][];
    for (int i = 0; i < cut.length; i++) {
      cut[i] = cut(x[i], dimension);
    }
    return cut;
  }

  private static double[][] documents(int count) {
    double[][] documents = new double[count][DIMENSION];
    Random random = new Random(7);
    for (double[] row : documents) {
      for (int d = 0; d < DIMENSION; d++) {
        row[d] = (float) random.nextGaussian();
      }
    }
    return documents;
  }

  /** The documents of a loss, whose lengths are 1 but for the rounding of single precision. */
  private static double[][] unit(Loss corpus) {
    Tensor documents = ((CorpusNegativesLoss) corpus).documents();
    int dimension = (int) documents.dim(1);
    double[] values = documents.toDoubles();
    double[][] expected = cut(documents((int) documents.dim(0)), dimension);
    double[][] rows = new double[expected.length][dimension];
    for (int i = 0; i < values.length; i++) {
      rows[i / dimension][i % dimension] = values[i];
      assertEquals(expected[i / dimension][i % dimension], values[i], 1e-7);
    }
    return rows;
  }

  private static Tensor tensor(double[][] rows) {
    float[] values = new float[rows.length * DIMENSION];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) rows[i / DIMENSION][i % DIMENSION];
    }
    return Tensor.ofFloats("corpus", values, rows.length, DIMENSION);
  }

  static Stream<Case> cases() {
    List<Case> cases = new ArrayList<>();
    for (boolean symmetric : List.of(false, true)) {
      String way = symmetric ? ", symmetric" : "";
      negatives(cases, "pairs" + way, symmetric, 20, new long[][] {{1, 2}, {3, 4}, {5, 6}});
      negatives(cases, "one pair" + way, symmetric, 20, new long[][] {{1, 2}});
      negatives(cases, "one row" + way, symmetric, 1, new long[][] {{1, 2, 3, 4}}, 3);
      negatives(
          cases,
          "hard negatives, some missing" + way,
          symmetric,
          3,
          new long[][] {{1, 2, 3, 4}, {5, 6, 7, NONE}, {8, 9, NONE, NONE}},
          3);
      negatives(
          cases,
          "the same positive, the same anchor, an anchor that is a text" + way,
          symmetric,
          5,
          new long[][] {{1, 2}, {3, 2}, {1, 4}, {5, 6}, {7, 1}, {8, 9}});
      negatives(
          cases,
          "known positives, a negative that is one" + way,
          symmetric,
          5,
          new long[][] {
            {1, 2, 3, 30, NONE, NONE},
            {3, 4, 5, 2, 6, NONE},
            {6, 7, 8, NONE, NONE, NONE},
            {1, 9, 6, NONE, NONE, NONE},
            {10, 30, 10, 3, NONE, NONE}
          },
          2);
    }
    double[] similar = {0.9, -0.3, 0.9, 0.1};
    double[][][] pairs = embeddings(4, 2, DIMENSION);
    cases.add(
        new Case(
            "cosine",
            new CosineSimilarityLoss(),
            pairs,
            similar,
            x -> {
              double sum = 0;
              for (int i = 0; i < x.length; i++) {
                sum += Math.pow(cosine(x[i][0], x[i][1]) - similar[i], 2) / x.length;
              }
              return sum;
            }));
    cases.add(new Case("cosent", new CoSentLoss(20), pairs, similar, x -> coSent(x, similar, 20)));
    double[] one = {0.5};
    double[][][] single = embeddings(1, 2, DIMENSION);
    cases.add(new Case("cosent, one row", new CoSentLoss(20), single, one, x -> 0));
    long[][] triplets = {{1, 2, 3, 4}, {5, 6, 7, NONE}, {8, 9, NONE, NONE}};
    for (Distance distance : Distance.values()) {
      for (double margin : new double[] {0, 0.5, 5}) {
        cases.add(
            new Case(
                "triplet, " + distance + ", margin " + margin,
                new TripletLoss(margin, distance),
                embeddings(3, 4, DIMENSION),
                triplets,
                x -> triplet(x, triplets, margin, distance)));
      }
    }
    double[][] scores = {{3, -1, 0.5}, {2, 1, NONE}, {-4, NONE, NONE}};
    cases.add(
        new Case(
            "margin-mse",
            new MarginMseLoss(),
            embeddings(3, 4, DIMENSION),
            scores,
            x -> marginMse(x, scores)));
    for (double temperature : new double[] {1, 2.5}) {
      cases.add(
          new Case(
              "kl, temperature " + temperature,
              new KlDivergenceLoss(temperature),
              embeddings(3, 4, DIMENSION),
              scores,
              x -> klDivergence(x, scores, temperature)));
    }
    long[][] right = {{3, NONE, NONE}, {0, 6, 2}, {6, 6, 1}, {3, 0, NONE}};
    CorpusNegativesLoss corpus = new CorpusNegativesLoss(tensor(documents(7)), 20);
    cases.add(
        new Case(
            "corpus",
            corpus,
            embeddings(4, 1, DIMENSION),
            right,
            x -> corpus(x, unit(corpus), right, 20)));
    cases.add(
        new Case(
            "matryoshka of corpus",
            new MatryoshkaLoss(corpus, List.of(DIMENSION, 3, 2)),
            embeddings(4, 1, DIMENSION),
            right,
            x ->
                corpus(x, unit(corpus), right, 20)
                    + corpus(cut(x, 3), unit(corpus.ofFirst(3)), right, 20)
                    + corpus(cut(x, 2), unit(corpus.ofFirst(2)), right, 20)));
    long[][] ids = {{1, 2, 3}, {4, 5, NONE}, {6, 2, 8}};
    cases.add(
        new Case(
            "matryoshka of multiple negatives",
            new MatryoshkaLoss(new MultipleNegativesLoss(10, true), List.of(4, DIMENSION)),
            embeddings(3, 3, DIMENSION),
            ids,
            x ->
                multipleNegatives(cut(x, 4), ids, 10, true)
                    + multipleNegatives(cut(x, DIMENSION), ids, 10, true)));
    cases.add(
        new Case(
            "matryoshka of margin-mse",
            new MatryoshkaLoss(new MarginMseLoss(), List.of(DIMENSION, 1)),
            embeddings(3, 4, DIMENSION),
            scores,
            x -> marginMse(cut(x, DIMENSION), scores) + marginMse(cut(x, 1), scores)));
    double[][][] factors = embeddings(9, 2, DIMENSION);
    cases.add(
        new Case(
            "gradient",
            new GradientLoss(),
            embeddings(9, 2, DIMENSION),
            factors,
            x -> {
              double sum = 0;
              for (int i = 0; i < x.length; i++) {
                for (int k = 0; k < x[i].length; k++) {
                  sum += dot(x[i][k], factors[i][k]);
                }
              }
              return sum;
            }));
    return cases.stream();
  }

  private static void negatives(
      List<Case> cases, String name, boolean symmetric, double scale, long[][] ids) {
    negatives(cases, name, symmetric, scale, ids, 1);
  }

  private static void negatives(
      List<Case> cases, String name, boolean symmetric, double scale, long[][] ids, int texts) {
    cases.add(
        new Case(
            "multiple negatives: " + name,
            new MultipleNegativesLoss(scale, symmetric),
            embeddings(ids.length, 1 + texts, DIMENSION),
            ids,
            x -> multipleNegatives(x, ids, scale, symmetric)));
  }

  /** What a run of the model says. */
  private record Values(double loss, double[] gradient) {}

  private static Values run(OnnxModel model, double[][][] embeddings, Object labels) {
    boolean doubles =
        model.graph().outputs().iterator().next().requireType().elementType() == ElementType.DOUBLE;
    try (OrtSession session = ENVIRONMENT.createSession(OnnxFile.serialize(model, t -> false));
        OnnxTensor x =
            OnnxTensor.createTensor(ENVIRONMENT, doubles ? embeddings : floats(embeddings));
        OnnxTensor y =
            OnnxTensor.createTensor(
                ENVIRONMENT, doubles || labels instanceof long[][] ? labels : floats(labels))) {
      Map<String, OnnxTensorLike> feeds = Map.of(LossGradient.EMBEDDINGS, x, Loss.LABELS, y);
      try (OrtSession.Result result = session.run(feeds)) {
        return new Values(
            numbers(result, LossGradient.LOSS)[0], numbers(result, LossGradient.GRADIENT));
      }
    } catch (OrtException e) {
      throw new AssertionError(e);
    }
  }

  private static double[] numbers(OrtSession.Result result, String name) {
    OnnxTensor tensor = (OnnxTensor) result.get(name).orElseThrow();
    if (tensor.getInfo().type == OnnxJavaType.DOUBLE) {
      DoubleBuffer buffer = tensor.getDoubleBuffer();
      double[] values = new double[buffer.remaining()];
      buffer.get(values);
      return values;
    }
    FloatBuffer buffer = tensor.getFloatBuffer();
    double[] values = new double[buffer.remaining()];
    for (int i = 0; i < values.length; i++) {
      values[i] = buffer.get(i);
    }
    return values;
  }

  private static Object floats(Object doubles) {
    if (doubles instanceof double[] row) {
      float[] floats = new float[row.length];
      for (int i = 0; i < floats.length; i++) {
        floats[i] = (float) row[i];
      }
      return floats;
    }
    Object[] rows = (Object[]) doubles;
    Object[] floats =
        rows instanceof double[][] ? new float[rows.length][] : new float[rows.length][][];
    for (int i = 0; i < rows.length; i++) {
      floats[i] = floats(rows[i]);
    }
    return floats;
  }

  private static double[] differences(Case one) {
    double[][][] x = one.embeddings;
    double[] gradient = new double[x.length * x[0].length * x[0][0].length];
    int at = 0;
    for (double[][] row : x) {
      for (double[] text : row) {
        for (int d = 0; d < text.length; d++) {
          double before = text[d];
          text[d] = before + STEP;
          double up = one.formula.applyAsDouble(x);
          text[d] = before - STEP;
          double down = one.formula.applyAsDouble(x);
          text[d] = before;
          gradient[at++] = (up - down) / (2 * STEP);
        }
      }
    }
    return gradient;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void lossAndGradientAreThoseOfTheDefinition(Case one) {
    double[][][] x = one.embeddings;
    double expected = one.formula.applyAsDouble(x);
    double[] gradient = differences(one);
    long[] known = {x.length, x[0].length, DIMENSION};
    for (long[] shape : List.of(known, new long[] {-1, -1, DIMENSION})) {
      OnnxModel model = LossGradient.of(one.loss, TensorType.of(ElementType.DOUBLE, shape));
      Values values = run(model, x, one.labels);
      assertEquals(expected, values.loss, 1e-9 * Math.max(1, Math.abs(expected)));
      compare(gradient, values.gradient, TOLERANCE);
    }
    OnnxModel single = LossGradient.of(one.loss, Dimension.named("texts"), DIMENSION);
    Values values = run(single, x, one.labels);
    assertEquals(expected, values.loss, 5e-6 * Math.max(1, Math.abs(expected)));
    compare(gradient, values.gradient, 1e-5);
    for (Node node : single.graph().nodes()) {
      assertEquals("", node.domain());
    }
  }

  private static void compare(double[] expected, double[] actual, double tolerance) {
    assertEquals(expected.length, actual.length);
    double largest = 1;
    for (double x : expected) {
      largest = Math.max(largest, Math.abs(x));
    }
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], tolerance * largest, "entry " + i);
    }
  }

  /** Where nothing is defined by the formula, training must go on nevertheless. */
  @Test
  void equalAndMissingTextsHaveAFiniteGradient() {
    double[][][] x = embeddings(2, 3, DIMENSION);
    x[0][1] = x[0][0].clone();
    x[0][2] = x[0][0].clone();
    x[1][2] = new double[DIMENSION];
    long[][] ids = {{1, 1, 1}, {2, 3, NONE}};
    double[][] scores = {{1, 2}, {1, NONE}};
    for (Loss loss :
        List.of(
            new TripletLoss(5, Distance.EUCLIDEAN),
            new TripletLoss(0.5, Distance.COSINE),
            new MultipleNegativesLoss(20, true),
            new MatryoshkaLoss(new MultipleNegativesLoss(20, false), List.of(2, DIMENSION)),
            new MarginMseLoss(),
            new KlDivergenceLoss(1))) {
      boolean ofScores = loss instanceof MarginMseLoss || loss instanceof KlDivergenceLoss;
      OnnxModel model = LossGradient.of(loss, Dimension.unknown(), DIMENSION);
      Values values = run(model, x, ofScores ? scores : ids);
      assertTrue(Double.isFinite(values.loss), loss::toString);
      for (double g : values.gradient) {
        assertTrue(Double.isFinite(g), loss::toString);
      }
    }
  }

  /** However far apart scores are. */
  @Test
  void coSentIsStable() {
    double[][][] x = {
      {{1, 0}, {-1, 0}},
      {{1, 0}, {1, 0}}
    };
    OnnxModel model = LossGradient.of(new CoSentLoss(1000), Dimension.of(2), 2);
    assertEquals(0, run(model, x, new double[] {0, 1}).loss);
    assertEquals(2000, run(model, x, new double[] {1, 0}).loss, 1e-3);
  }

  @Test
  void anExampleCountsOnce() {
    for (Loss loss : cases().map(Case::loss).toList()) {
      assertEquals(1, loss.weight(7, i -> i), loss::toString);
    }
    assertEquals(2, CrossEntropyLoss.plain().ignoring(NONE).orElseThrow().weight(3, i -> i - 100));
  }

  /** A corpus that is normalized already is not copied. */
  @Test
  void documentsOfLengthOneAreTakenAsTheyAre() {
    double[][] unit = cut(documents(4), DIMENSION);
    Tensor documents = tensor(unit);
    CorpusNegativesLoss loss = new CorpusNegativesLoss(documents, 20);
    assertTrue(loss.documents() == documents);
    Tensor cut = ((CorpusNegativesLoss) loss.ofFirst(2)).documents();
    assertEquals(2, cut.dim(1));
    double[] values = cut.toDoubles();
    assertEquals(1, values[2] * values[2] + values[3] * values[3], 1e-6);
  }

  @Test
  void whatDoesNotFitIsRefused() {
    TensorType pairs = TensorType.of(ElementType.FLOAT, -1, 2, DIMENSION);
    TensorType groups = TensorType.of(ElementType.FLOAT, -1, 3, DIMENSION);
    TensorType rows = TensorType.of(ElementType.FLOAT, -1, DIMENSION);
    Tensor documents = tensor(documents(3));
    refused("rows of 3 texts are no pairs", () -> new CosineSimilarityLoss().labels(groups));
    refused("rows of 3 texts are no pairs", () -> new CoSentLoss(20).labels(groups));
    refused("are not (batch, texts, dim", () -> new MultipleNegativesLoss(20, true).labels(rows));
    refused("are not (batch, texts, dim", () -> new GradientLoss().labels(rows));
    refused(
        "an embedding of 5 numbers cannot be cut to 6",
        () -> new MatryoshkaLoss(new MarginMseLoss(), List.of(5, 6)).labels(pairs));
    refused(
        "rows of 2 texts are no anchors alone",
        () -> new CorpusNegativesLoss(documents, 20).labels(pairs));
    refused(
        "the documents' embeddings have 5 numbers and the model's 7",
        () ->
            new CorpusNegativesLoss(documents, 20)
                .labels(TensorType.of(ElementType.FLOAT, -1, 1, 7)));
    refused("a scale of 0.0", () -> new MultipleNegativesLoss(0, false));
    refused("a scale of NaN", () -> new CoSentLoss(Double.NaN));
    refused("a margin of -1.0", () -> new TripletLoss(-1, Distance.COSINE));
    refused("a temperature of 0.0", () -> new KlDivergenceLoss(0));
    refused("the dimensions [3, 3]", () -> new MatryoshkaLoss(new MarginMseLoss(), List.of(3, 3)));
    refused("the dimensions []", () -> new MatryoshkaLoss(new MarginMseLoss(), List.of()));
  }

  private static void refused(String beginning, Runnable work) {
    String message = assertThrows(LoraGraphException.class, work::run).getMessage();
    assertTrue(message.contains(beginning), message);
  }
}
