package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.GraphEngine;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.Linear;
import io.github.loragraph.lora.LinearFinder;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.LoraMerger;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.lora.WeightLayout;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.rewrite.TrainingForm;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.EvaluationGraph;
import io.github.loragraph.training.StepGraph;
import io.github.loragraph.training.TrainingGraph;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
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
  private static final double FINAL = 5e-5;

  private static final Sessions SESSIONS = new Sessions(2);

  static List<String> fixtures() {
    return Oracle.FIXTURES;
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void logitsAndLossOfTheModelItself(String fixture) {
    Oracle oracle = Oracle.of(fixture);
    OnnxModel model = inferenceForm(oracle.model());
    assertClose(oracle.numbers("/logits_base"), logits(model, oracle.inputs()), LOGITS);
    for (JsonNode batch : oracle.get("/more_inference")) {
      assertClose(
          Oracle.flat(batch.get("logits_base")),
          logits(model, Oracle.inputs(batch.get("inputs"))),
          LOGITS);
    }
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void parametersAreCountedAsPyTorchCounts(String fixture) {
    Oracle oracle = Oracle.of(fixture);
    assertEquals(oracle.number("/counts/base_total"), total(oracle.model()));
    OnnxModel injected = injected(oracle);
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
    Oracle oracle = Oracle.of(fixture);
    OnnxModel model = inferenceForm(withOracleAdapters(oracle));
    assertClose(oracle.numbers("/logits_lora"), logits(model, oracle.inputs()), LOGITS);
    for (JsonNode batch : oracle.get("/more_inference")) {
      assertClose(
          Oracle.flat(batch.get("logits_lora")),
          logits(model, Oracle.inputs(batch.get("inputs"))),
          LOGITS);
    }
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void gradientsOfAdaptersAndHead(String fixture) {
    Oracle oracle = Oracle.of(fixture);
    checkGradients(oracle, withOracleAdapters(oracle), "/grads_lora", "/loss_lora");
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void gradientsOfAllParameters(String fixture) {
    Oracle oracle = Oracle.of(fixture);
    checkGradients(oracle, oracle.model(), "/grads_full", "/loss_base");
  }

  private static void checkGradients(
      Oracle oracle, OnnxModel model, String gradients, String lossPointer) {
    Map<String, Parameter> trainable = trainable(model);
    TrainingGraph training = trainingGraph(model, trainable);
    Graph graph = training.model().graph();
    for (Parameter p : trainable.values()) {
      if (!graph.isOutput(training.gradients().get(p.value()))) {
        graph.addOutput(
            ValueInfo.of(
                training.gradients().get(p.value()),
                new TensorType(model.graph().initializer(p.initializer()).elementType(), null)));
      }
      graph.removeInput(p.value());
      graph.putInitializer(training.initialValues().get(p.value()));
    }
    List<HostTensor> batch = new ArrayList<>(oracle.inputs());
    batch.add(oracle.labels());
    Map<String, float[]> outputs = OrtRun.run(training.model(), batch, SESSIONS);
    assertEquals(oracle.number(lossPointer), outputs.get(training.loss())[0], LOGITS);

    Map<String, double[]> expected = oracle.tensors(gradients);
    assertEquals(expected.keySet(), trainable.keySet());
    Map<String, Linear> transposed = transposedWeights(model);
    for (Map.Entry<String, double[]> e : expected.entrySet()) {
      float[] actual = outputs.get(training.gradients().get(trainable.get(e.getKey()).value()));
      assertClose(e.getKey(), e.getValue(), asInPyTorch(e.getKey(), actual, transposed), GRADIENTS);
    }
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void twentyStepsOfAdamW(String fixture) {
    Oracle oracle = Oracle.of(fixture);
    OnnxModel model = withOracleAdapters(oracle);
    Map<String, Parameter> trainable = trainable(model);
    StepGraph step =
        StepGraph.of(
            trainingGraph(model, trainable),
            new AdamW(
                oracle.number("/adamw/beta1"),
                oracle.number("/adamw/beta2"),
                oracle.number("/adamw/eps"),
                oracle.number("/adamw/weight_decay")),
            0);
    EvaluationGraph evaluation = EvaluationGraph.of(model, values(trainable));
    double learningRate = oracle.number("/adamw/lr");
    double[] losses = oracle.numbers("/adamw/losses");
    List<HostTensor> batch = new ArrayList<>(oracle.inputs());
    batch.add(oracle.labels());
    try (Weights weights = new Weights();
        GraphEngine engine = new GraphEngine(step, evaluation, SESSIONS, weights, null, 1, 1, 0)) {
      for (int i = 0; i < losses.length; i++) {
        assertEquals(losses[i], engine.step(batch, learningRate).loss(), CURVE);
        if (i == 0) {
          checkParameters(oracle, "/adamw/params_after_step_1", trainable, engine, AFTER_ONE_STEP);
        }
      }
      checkParameters(oracle, "/adamw/params_final", trainable, engine, FINAL);

      assertClose(
          oracle.numbers("/adamw/logits_final"),
          flat(engine.classifier().logits(oracle.inputs())),
          CURVE);
      engine.parameters().values().forEach(model.graph()::putInitializer);
      OnnxModel adapted = inferenceForm(model);
      assertClose(oracle.numbers("/adamw/logits_final"), logits(adapted, oracle.inputs()), CURVE);
      OnnxModel merged = LoraMerger.merge(model);
      checkMerged(oracle, merged, "/merged_final", FINAL, CURVE);
    }
  }

  private static void checkParameters(
      Oracle oracle,
      String pointer,
      Map<String, Parameter> trainable,
      GraphEngine engine,
      double tolerance) {
    Map<String, double[]> expected = oracle.tensors(pointer);
    Map<String, Tensor> actual = engine.parameters();
    for (Map.Entry<String, double[]> e : expected.entrySet()) {
      Tensor tensor = actual.get(trainable.get(e.getKey()).value());
      assertClose(e.getKey(), e.getValue(), tensor.toFloats(), tolerance);
    }
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void mergedWeightsAndLogits(String fixture) {
    Oracle oracle = Oracle.of(fixture);
    OnnxModel merged = LoraMerger.merge(withOracleAdapters(oracle));
    checkMerged(oracle, merged, "/merged_initial", 1e-6, LOGITS);
    assertEquals(
        oracle.model().graph().nodes().stream().map(Object::toString).toList(),
        merged.graph().nodes().stream().map(Object::toString).toList());
  }

  private static void checkMerged(
      Oracle oracle, OnnxModel merged, String pointer, double weightTolerance, double tolerance) {
    Map<String, Linear> transposed = transposedWeights(merged);
    Map<String, Parameter> parameters = trainable(merged);
    for (Map.Entry<String, double[]> e : oracle.tensors(pointer + "/weights").entrySet()) {
      Tensor weight = merged.graph().initializer(parameters.get(e.getKey()).initializer());
      assertClose(
          e.getKey(),
          e.getValue(),
          asInPyTorch(e.getKey(), weight.toFloats(), transposed),
          weightTolerance);
    }
    assertClose(
        oracle.numbers(pointer + "/logits"),
        logits(inferenceForm(merged), oracle.inputs()),
        tolerance);
  }

  private static OnnxModel injected(Oracle oracle) {
    return LoraInjector.inject(
        oracle.model(),
        new InjectionOptions(
            Pattern.compile(oracle.get("/lora/regex").asText()),
            (int) oracle.number("/lora/r"),
            oracle.number("/lora/alpha"),
            InjectionOptions.DEFAULT_HEAD,
            0));
  }

  private static OnnxModel withOracleAdapters(Oracle oracle) {
    OnnxModel injected = injected(oracle);
    oracle.adapters().forEach(injected.graph()::putInitializer);
    return injected;
  }

  private static long total(OnnxModel model) {
    return Parameters.of(model).stream().mapToLong(Parameter::count).sum();
  }

  private static Map<String, Parameter> trainable(OnnxModel model) {
    Map<String, Parameter> trainable = new LinkedHashMap<>();
    Parameters.of(model).stream()
        .filter(Parameter::trainable)
        .forEach(p -> trainable.put(p.name(), p));
    return trainable;
  }

  private static TrainingGraph trainingGraph(OnnxModel model, Map<String, Parameter> trainable) {
    return TrainingGraph.build(
        model, values(trainable), CrossEntropyLoss.plain(), new SessionShapeInference());
  }

  private static Set<String> values(Map<String, Parameter> parameters) {
    Set<String> values = new LinkedHashSet<>();
    parameters.values().forEach(p -> values.add(p.value()));
    return values;
  }

  /** A model as evaluation sees it: dropout is off. */
  private static OnnxModel inferenceForm(OnnxModel model) {
    return TrainingForm.withoutDropout(model);
  }

  private static float[] flat(float[][] rows) {
    float[] flat = new float[rows.length * rows[0].length];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, flat, i * rows[0].length, rows[0].length);
    }
    return flat;
  }

  private static float[] logits(OnnxModel model, List<HostTensor> inputs) {
    return OrtRun.run(model, inputs, SESSIONS).get("logits");
  }

  /** Weights that stand as (in, out) in the model and as (out, in) in PyTorch, by name. */
  private static Map<String, Linear> transposedWeights(OnnxModel model) {
    Map<String, Linear> transposed = new LinkedHashMap<>();
    for (Linear linear : LinearFinder.find(model.graph())) {
      if (linear.layout() == WeightLayout.IN_OUT) {
        transposed.put(linear.path() + ".weight", linear);
      }
    }
    return transposed;
  }

  private static float[] asInPyTorch(String name, float[] values, Map<String, Linear> transposed) {
    Linear linear = transposed.get(name);
    if (linear == null) {
      return values;
    }
    int in = (int) linear.in();
    int out = (int) linear.out();
    float[] result = new float[values.length];
    for (int i = 0; i < in; i++) {
      for (int o = 0; o < out; o++) {
        result[o * in + i] = values[i * out + o];
      }
    }
    return result;
  }

  private static void assertClose(double[] expected, float[] actual, double tolerance) {
    assertClose("values", expected, actual, tolerance);
  }

  private static void assertClose(
      String what, double[] expected, float[] actual, double tolerance) {
    assertEquals(expected.length, actual.length, what);
    for (int i = 0; i < expected.length; i++) {
      double difference = Math.abs(expected[i] - actual[i]);
      int at = i;
      assertTrue(
          difference <= tolerance,
          () -> "%s[%d]: expected %s but was %s".formatted(what, at, expected[at], actual[at]));
    }
  }
}
