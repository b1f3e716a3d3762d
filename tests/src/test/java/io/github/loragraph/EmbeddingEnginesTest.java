package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.loragraph.check.Oracle;
import io.github.loragraph.check.OracleDifferences;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.engine.Engines;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CorpusNegativesLoss;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.MatryoshkaLoss;
import io.github.loragraph.training.MultipleNegativesLoss;
import io.github.loragraph.training.Optimization;
import io.github.loragraph.training.SentenceEmbedding;
import io.github.loragraph.training.Towers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Groups of texts by both engines. */
@Tag("training-api")
class EmbeddingEnginesTest {
  private static final double CURVE = 2e-5;
  private static final float FINAL = 5e-5f;
  private static final int DIMENSION = 16;

  private final Sessions sessions = new Sessions(OrtRuntime.open(OrtRuntime.Build.TRAINING), 2);
  private final Oracle oracle = Oracle.of("sbert-cosine");

  /** What was trained, and the losses before each step. */
  private record Trained(double[] losses, Map<String, Tensor> parameters) {}

  @ParameterizedTest
  @EnumSource(
      value = EngineKind.class,
      names = {"GRAPH", "TRAINING_API"})
  void twentyStepsArePyTorchs(EngineKind kind) {
    AdamW adamW =
        new AdamW(
            oracle.number("/adamw/beta1"),
            oracle.number("/adamw/beta2"),
            oracle.number("/adamw/eps"),
            oracle.number("/adamw/weight_decay"));
    double[] expected = oracle.numbers("/adamw/losses");
    OnnxModel towers = Towers.of(embedding());
    Trained trained =
        trained(
            kind,
            towers,
            oracle.loss(),
            new Optimization(adamW, 0, LoraDropout.NONE),
            oracle.labelledBatch(),
            oracle.number("/adamw/lr"),
            expected.length);
    assertArrayEquals(expected, trained.losses, CURVE);
    Map<String, double[]> last = oracle.tensors("/adamw/params_final");
    assertEquals(last.keySet(), trained.parameters.keySet());
    last.forEach(
        (name, values) -> {
          float[] floats = new float[values.length];
          for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
          }
          assertArrayEquals(floats, trained.parameters.get(name).toFloats(), FINAL, name);
        });
  }

  /** Dropout, Matryoshka and a corpus: both engines go the same way. */
  @Test
  void bothEnginesAgree() {
    Loss negatives = new MultipleNegativesLoss(20, true);
    List<HostTensor> groups = new ArrayList<>(oracle.labelledBatch());
    groups.removeIf(tensor -> tensor.name().equals(Loss.LABELS));
    List<HostTensor> alone = new ArrayList<>(groups);
    alone.removeIf(tensor -> tensor.name().startsWith(Towers.TEXTS));
    groups.add(Gradients.longs(Loss.LABELS, new long[] {1, 2, 3, 4, 5, 2, 6, 7}, 4, 2));
    agree(Towers.of(embedding()), new MatryoshkaLoss(negatives, List.of(16, 4)), groups);

    float[] documents = new float[40 * DIMENSION];
    Random random = new Random(3);
    for (int i = 0; i < documents.length; i++) {
      documents[i] = (float) random.nextGaussian();
    }
    Loss corpus = new CorpusNegativesLoss(Tensor.ofFloats("d", documents, 40, DIMENSION), 20);
    alone.add(Gradients.longs(Loss.LABELS, new long[] {1, 2, 3, -100, 5, 2, 39, 0}, 4, 2));
    agree(Towers.anchorAlone(embedding()), corpus, alone);
    agree(Towers.anchorAlone(embedding()), new MatryoshkaLoss(corpus, List.of(16, 8)), alone);
  }

  private void agree(OnnxModel model, Loss loss, List<HostTensor> batch) {
    Map<EngineKind, Trained> all = new HashMap<>();
    for (EngineKind kind : List.of(EngineKind.GRAPH, EngineKind.TRAINING_API)) {
      Optimization optimization = new Optimization(AdamW.defaults(), 1, new LoraDropout(0.1));
      all.put(kind, trained(kind, model, loss, optimization, batch, 1e-3, 3));
    }
    Trained graph = all.get(EngineKind.GRAPH);
    Trained api = all.get(EngineKind.TRAINING_API);
    assertArrayEquals(graph.losses, api.losses, CURVE);
    assertFalse(graph.losses[0] == graph.losses[2]);
    graph.parameters.forEach(
        (name, tensor) ->
            assertArrayEquals(tensor.toFloats(), api.parameters.get(name).toFloats(), FINAL, name));
  }

  private OnnxModel embedding() {
    return SentenceEmbedding.of(
            new OracleDifferences(oracle, sessions).withOracleAdapters(),
            null,
            null,
            new SessionShapeInference(sessions.runtime()))
        .model();
  }

  private Trained trained(
      EngineKind kind,
      OnnxModel model,
      Loss loss,
      Optimization optimization,
      List<HostTensor> batch,
      double rate,
      int steps) {
    Engines engines =
        new Engines(
            model,
            new TrainableSelection(Method.LORA, null, false, false).values(model),
            loss,
            optimization,
            1,
            1,
            0,
            sessions);
    double[] losses = new double[steps];
    try (Engines.Opened opened = engines.open(kind, null, 1, null, line -> {})) {
      for (int i = 0; i < steps; i++) {
        losses[i] = opened.engine().step(batch, rate).loss();
      }
      return new Trained(losses, opened.engine().parameters());
    }
  }
}
