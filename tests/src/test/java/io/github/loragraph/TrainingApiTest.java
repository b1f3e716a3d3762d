package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.OptimizerModel;
import io.github.loragraph.artifacts.TrainingArtifacts;
import io.github.loragraph.cache.ToolCache;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.engine.Engines;
import io.github.loragraph.engine.StepInput;
import io.github.loragraph.engine.TrainingApiEngine;
import io.github.loragraph.evaluation.ProbeInput;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.models.ClassificationHead;
import io.github.loragraph.models.ModelReference;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.GraphOptions;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Optimization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Training artifacts in ONNX Runtime's own training API, against PyTorch's numbers. */
@Tag("training-api")
class TrainingApiTest {
  private static final Sessions SESSIONS =
      new Sessions(OrtRuntime.open(OrtRuntime.Build.TRAINING), 2);
  private static final double CURVE = 1e-4;
  private static final double FINAL = 1e-4;

  static OnnxModel injected(Oracle oracle) {
    OnnxModel model =
        LoraInjector.inject(
            oracle.model(),
            new InjectionOptions(
                Pattern.compile(oracle.get("/lora/regex").asText()),
                (int) oracle.number("/lora/r"),
                oracle.number("/lora/alpha"),
                InjectionOptions.DEFAULT_HEAD,
                0));
    oracle.adapters().forEach(model.graph()::putInitializer);
    return model;
  }

  /** For the oracle's adapters and its optimizer. */
  static TrainingArtifacts artifacts(Oracle oracle, Kernels kernels) {
    AdamW adamW =
        new AdamW(
            oracle.number("/adamw/beta1"),
            oracle.number("/adamw/beta2"),
            oracle.number("/adamw/eps"),
            oracle.number("/adamw/weight_decay"));
    return artifacts(injected(oracle), new OptimizerModel(Optional.of(adamW), 0), kernels);
  }

  private static TrainingArtifacts artifacts(
      OnnxModel model, OptimizerModel optimizer, Kernels kernels) {
    return TrainingArtifacts.forEngine(
        model,
        TrainableSelection.of(Method.LORA).values(model),
        CrossEntropyLoss.plain(),
        optimizer,
        GraphOptions.PLAIN.withKernels(kernels),
        new SessionShapeInference(SESSIONS.runtime()));
  }

  static List<Arguments> fixturesAndKernels() {
    List<Arguments> all = new ArrayList<>();
    for (String fixture : Oracle.FIXTURES) {
      for (Kernels kernels : Kernels.values()) {
        all.add(Arguments.of(fixture, kernels));
      }
    }
    return all;
  }

  @ParameterizedTest
  @MethodSource("fixturesAndKernels")
  void twentySteps(String fixture, Kernels kernels) {
    Oracle oracle = Oracle.of(fixture);
    OnnxModel model = injected(oracle);
    List<HostTensor> batch = new ArrayList<>(oracle.inputs());
    batch.add(oracle.labels());
    double[] losses = oracle.numbers("/adamw/losses");
    try (TrainingApiEngine engine =
        new TrainingApiEngine(artifacts(oracle, kernels), SESSIONS, null, 1, 0)) {
      for (double expected : losses) {
        assertEquals(expected, engine.step(batch, oracle.number("/adamw/lr")).loss(), CURVE);
      }
      Map<String, Tensor> parameters = engine.parameters();
      Map<String, String> values = new HashMap<>();
      Parameters.of(model).forEach(p -> values.put(p.name(), p.value()));
      oracle
          .tensors("/adamw/params_final")
          .forEach(
              (name, expected) -> {
                float[] actual = parameters.get(values.get(name)).toFloats();
                for (int i = 0; i < expected.length; i++) {
                  assertEquals(expected[i], actual[i], FINAL, name);
                }
              });
      double[] logits = oracle.numbers("/adamw/logits_final");
      float[][] rows = engine.classifier().logits(oracle.inputs());
      for (int i = 0; i < logits.length; i++) {
        assertEquals(logits[i], rows[i / rows[0].length][i % rows[0].length], CURVE);
      }
      assertEquals(20, engine.steps());
      assertEquals(20, engine.checkpoint().groups().get(0).step());
      assertTrue(engine.checkpoint().groups().get(0).states().size() > 1);
    }
  }

  /** Files are for any build of the training API: fused kernels are the engine's own. */
  @Test
  void fusedKernelsAreWrittenOnlyWhereAskedFor() {
    Oracle oracle = Oracle.of("tiny-roberta");
    assertEquals(Set.of("InPlaceAccumulatorV2"), operators(artifacts(oracle, Kernels.STANDARD)));
    assertEquals(
        Set.of("InPlaceAccumulatorV2", "TanhGrad"),
        operators(artifacts(oracle, Kernels.TRAINING_BUILD)));
  }

  /** Those that are not standard. */
  private static Set<String> operators(TrainingArtifacts artifacts) {
    Set<String> operators = new HashSet<>();
    for (OnnxModel model : List.of(artifacts.training(), artifacts.evaluation())) {
      model.graph().nodes().stream()
          .filter(node -> !node.domain().isEmpty())
          .forEach(node -> operators.add(node.opType()));
    }
    return operators;
  }

  /** For plain gradient descent. */
  static TrainingArtifacts artifactsForDescent(OnnxModel model) {
    return artifacts(model, new OptimizerModel(Optional.empty(), 0), Kernels.STANDARD);
  }

  /** Plain gradient descent: a step takes the learning rate times the gradient away. */
  @Test
  void gradientDescent() {
    Oracle oracle = Oracle.of("tiny-roberta");
    OnnxModel model = injected(oracle);
    List<HostTensor> batch = batch(oracle);
    TrainingArtifacts artifacts = artifactsForDescent(model);
    double[] expected = Gradients.descent(model, artifacts.checkpoint().trainable(), batch, 0.1, 5);
    try (TrainingApiEngine engine = new TrainingApiEngine(artifacts, SESSIONS, null, 1, 0)) {
      for (double loss : expected) {
        assertEquals(loss, engine.step(batch, 0.1).loss(), 1e-5);
      }
    }
  }

  /** What ONNX Runtime saves does not stay, and what was read from it does. */
  @Test
  void checkpointsLeaveNothingInTheTemporaryFolder() throws IOException {
    Oracle oracle = Oracle.of("tiny-roberta");
    List<HostTensor> batch = batch(oracle);
    try (TrainingApiEngine engine =
        new TrainingApiEngine(artifacts(oracle, Kernels.STANDARD), SESSIONS, null, 1, 0)) {
      engine.step(batch, 1e-2);
      Set<Path> before = temporaryFiles();
      Checkpoint first = engine.checkpoint();
      List<float[]> values = first.trainable().stream().map(Tensor::toFloats).toList();
      engine.step(batch, 1e-2);
      engine.checkpoint();
      engine.parameters();
      assertEquals(before, temporaryFiles());
      for (int i = 0; i < values.size(); i++) {
        assertArrayEquals(values.get(i), first.trainable().get(i).toFloats());
      }
    }
    assertEquals(Set.of(), temporaryFiles());
  }

  private static Set<Path> temporaryFiles() throws IOException {
    String own = "lora-graph-artifacts-" + ProcessHandle.current().pid() + "-";
    Set<Path> found = new TreeSet<>();
    try (Stream<Path> all = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      for (Path folder : all.filter(f -> f.getFileName().toString().startsWith(own)).toList()) {
        try (Stream<Path> files = Files.walk(folder)) {
          files.forEach(found::add);
        }
      }
    }
    return found;
  }

  static List<HostTensor> batch(Oracle oracle) {
    List<HostTensor> batch = new ArrayList<>(oracle.inputs());
    batch.add(oracle.labels());
    return batch;
  }

  /** The same batch twice in a step is that batch once, in both engines, clipped or not. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 0.05})
  void gatheredGradientsAreTheirMean(double maxGradientNorm) {
    Oracle oracle = Oracle.of("tiny-roberta");
    OnnxModel model = injected(oracle);
    List<HostTensor> batch = batch(oracle);
    List<Map<String, Tensor>> results = new ArrayList<>();
    for (EngineKind kind : List.of(EngineKind.GRAPH, EngineKind.TRAINING_API)) {
      for (int accumulation : new int[] {1, 2}) {
        Engines engines = engines(model, maxGradientNorm, accumulation);
        try (Engines.Opened opened = engines.open(kind, null, 1, null, line -> {})) {
          for (int step = 0; step < 3; step++) {
            for (int i = 1; i <= accumulation; i++) {
              opened
                  .engine()
                  .steps(
                      List.of(new StepInput(batch, 1e-2, 1.0 / accumulation, i == accumulation)));
            }
          }
          assertEquals(3, opened.engine().steps());
          results.add(opened.engine().parameters());
        }
      }
    }
    Map<String, Tensor> expected = results.get(0);
    for (Map<String, Tensor> other : results) {
      expected.forEach(
          (name, tensor) ->
              assertArrayEquals(tensor.toFloats(), other.get(name).toFloats(), 2e-6f, name));
    }
  }

  private static Engines engines(OnnxModel model, double maxGradientNorm, int accumulation) {
    return new Engines(
        model,
        TrainableSelection.of(Method.LORA).values(model),
        CrossEntropyLoss.plain(),
        new Optimization(AdamW.defaults(), maxGradientNorm, LoraDropout.NONE),
        accumulation,
        1,
        0,
        SESSIONS);
  }

  /** A checkpoint of one engine is one of the other. */
  @Test
  void checkpointsGoFromEngineToEngine() {
    Oracle oracle = Oracle.of("tiny-bert");
    OnnxModel model = injected(oracle);
    List<HostTensor> batch = batch(oracle);
    Engines engines = engines(model, 1, 1);
    for (EngineKind first : List.of(EngineKind.GRAPH, EngineKind.TRAINING_API)) {
      EngineKind second = first == EngineKind.GRAPH ? EngineKind.TRAINING_API : EngineKind.GRAPH;
      Checkpoint half;
      double expected;
      try (Engines.Opened opened = engines.open(first, null, 1, null, line -> {})) {
        for (int i = 0; i < 5; i++) {
          opened.engine().step(batch, 1e-2);
        }
        half = opened.engine().checkpoint();
        for (int i = 0; i < 4; i++) {
          opened.engine().step(batch, 1e-2);
        }
        expected = opened.engine().step(batch, 1e-2).loss();
      }
      try (Engines.Opened opened = engines.open(second, half, 1, null, line -> {})) {
        for (int i = 0; i < 4; i++) {
          opened.engine().step(batch, 1e-2);
        }
        assertEquals(expected, opened.engine().step(batch, 1e-2).loss(), 1e-5);
      }
      OnnxModel applied = half.putInto(model);
      for (Tensor tensor : half.trainable()) {
        assertArrayEquals(tensor.toFloats(), applied.graph().initializer(tensor.name()).toFloats());
      }
    }
  }

  /** A real model, 50 steps of changing batches. */
  @Test
  void bothEnginesGoTheSameWay() {
    OnnxModel encoder =
        OnnxFile.read(
            ModelReference.resolve("all-MiniLM-L6-v2", ToolCache.ofThisUser()).modelFile());
    OnnxModel model =
        LoraInjector.inject(
            ClassificationHead.add(
                encoder,
                3,
                ClassificationHead.Pooling.MEAN,
                0,
                new SessionShapeInference(OrtRuntime.ofThisProcess())),
            new InjectionOptions(
                Pattern.compile("query|output"), 8, 8, InjectionOptions.DEFAULT_HEAD, 0));
    Engines engines = engines(model, 1, 1);
    List<double[]> curves = new ArrayList<>();
    for (EngineKind kind : List.of(EngineKind.GRAPH, EngineKind.TRAINING_API)) {
      double[] losses = new double[50];
      try (Engines.Opened opened = engines.open(kind, null, 1, null, line -> {})) {
        for (int step = 0; step < losses.length; step++) {
          losses[step] = opened.engine().step(randomBatch(model, step), 1e-3).loss();
        }
      }
      curves.add(losses);
    }
    assertArrayEquals(curves.get(0), curves.get(1), 1e-5);
  }

  private static List<HostTensor> randomBatch(OnnxModel model, long seed) {
    List<HostTensor> batch = new ArrayList<>(ProbeInput.of(model.graph(), 4, 12, seed));
    batch.add(Gradients.longs("labels", new Random(seed).longs(4, 0, 3).toArray(), 4));
    return batch;
  }
}
