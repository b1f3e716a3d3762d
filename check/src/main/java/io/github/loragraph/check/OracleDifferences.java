package io.github.loragraph.check;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.GraphEngine;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraBias;
import io.github.loragraph.lora.LoraInit;
import io.github.loragraph.lora.LoraInjector;
import io.github.loragraph.lora.LoraMerger;
import io.github.loragraph.lora.LoraVariant;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.passes.TrainingNormalizer;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.EvaluationGraph;
import io.github.loragraph.training.StepGraph;
import io.github.loragraph.training.TrainingGraph;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * How far this project's numbers for a fixture are from PyTorch's, on the sessions' device. Nothing
 * here needs JUnit: the check on a machine without it uses this, too.
 */
public final class OracleDifferences {
  private final Oracle oracle;
  private final Sessions sessions;

  public OracleDifferences(Oracle oracle, Sessions sessions) {
    this.oracle = oracle;
    this.sessions = sessions;
  }

  /**
   * Twenty steps of AdamW.
   *
   * @param curve losses before each step, and logits at the end
   * @param merged weights after the last step, folded
   * @param mergedLogits of the model with those
   */
  public record Training(
      Difference curve,
      Difference afterOneStep,
      Difference last,
      Difference merged,
      Difference mergedLogits) {}

  /** A model with adapters folded in. */
  public record Merged(Difference weights, Difference logits) {}

  /** Gradients and the loss that they are of. */
  public record Gradients(Difference gradients, Difference loss) {}

  /** The model as it is, on all batches. */
  public Difference baseLogits() {
    return logits(inferenceForm(oracle.model()), "logits_base");
  }

  /** With the given adapters, on all batches. */
  public Difference adaptedLogits() {
    return logits(inferenceForm(withOracleAdapters()), "logits_lora");
  }

  /** Of adapters and head. */
  public Gradients adapterGradients() {
    return gradients(withOracleAdapters(), "/grads_lora", "/loss_lora");
  }

  /** Of every parameter of the model itself. */
  public Gradients fullGradients() {
    return gradients(oracle.model(), "/grads_full", "/loss_base");
  }

  /** The given adapters folded in. */
  public Merged merged() {
    return merged(LoraMerger.merge(withOracleAdapters()), "/merged_initial");
  }

  /** Trains as PyTorch did. */
  public Training training() {
    OnnxModel model = withOracleAdapters();
    PyTorchParameters trained = new PyTorchParameters(model, oracle.untransposed());
    StepGraph step =
        StepGraph.of(
            trainingGraph(model, trained),
            new AdamW(
                oracle.number("/adamw/beta1"),
                oracle.number("/adamw/beta2"),
                oracle.number("/adamw/eps"),
                oracle.number("/adamw/weight_decay")),
            0);
    EvaluationGraph evaluation =
        EvaluationGraph.of(
            oracle.answeringForm(model, new SessionShapeInference(OrtRuntime.ofThisProcess())),
            trained.values());
    double learningRate = oracle.number("/adamw/lr");
    double[] losses = oracle.numbers("/adamw/losses");
    List<HostTensor> batch = oracle.labelledBatch();
    Difference curve = Difference.NONE;
    Difference first = Difference.NONE;
    try (Weights weights = new Weights();
        GraphEngine engine = new GraphEngine(step, evaluation, sessions, weights, null, 1, 1, 0)) {
      for (int i = 0; i < losses.length; i++) {
        double loss = engine.step(batch, learningRate).loss();
        curve = curve.or(Difference.of("the loss of step " + (i + 1), losses[i], loss));
        if (i == 0) {
          first = parameters("/adamw/params_after_step_1", trained, engine);
        }
      }
      Difference last = parameters("/adamw/params_final", trained, engine);
      double[] logits = oracle.numbers("/adamw/logits_final");
      curve =
          curve.or(
              Difference.of(
                  "logits of the engine",
                  logits,
                  joined(inputs -> flat(engine.classifier().logits(inputs)))));
      engine.parameters().values().forEach(model.graph()::putInitializer);
      curve = curve.or(Difference.of("logits of the model", logits, run(inferenceForm(model))));
      Merged merged = merged(LoraMerger.merge(model), "/merged_final");
      return new Training(curve, first, last, merged.weights(), merged.logits());
    }
  }

  /** The model with new adapters. */
  public OnnxModel injected() {
    return LoraInjector.inject(
        oracle.model(),
        new InjectionOptions(
                Pattern.compile(oracle.get("/lora/regex").asText()),
                (int) oracle.number("/lora/r"),
                oracle.number("/lora/alpha"),
                InjectionOptions.DEFAULT_HEAD,
                0)
            .withVariant(
                new LoraVariant(
                    oracle.get("/lora/use_rslora").asBoolean(),
                    oracle.get("/lora/use_dora").asBoolean(),
                    LoraInit.NORMAL,
                    LoraBias.NONE)));
  }

  /** The model with the adapters that PyTorch's numbers are of. */
  public OnnxModel withOracleAdapters() {
    OnnxModel injected = injected();
    oracle.adapters().forEach(injected.graph()::putInitializer);
    return injected;
  }

  private Difference logits(OnnxModel model, String key) {
    Difference difference = Difference.of(key, oracle.numbers("/" + key), run(model));
    for (JsonNode batch : oracle.get("/more_inference")) {
      difference =
          difference.or(
              Difference.of(
                  key,
                  Oracle.flat(batch.get(key)),
                  run(model, Oracle.inputs(batch.get("inputs")))));
    }
    return difference;
  }

  private float[] run(OnnxModel model) {
    return joined(inputs -> run(model, inputs));
  }

  private float[] run(OnnxModel model, List<HostTensor> inputs) {
    return Objects.requireNonNull(OrtRun.run(model, inputs, sessions).get(oracle.output()));
  }

  /** What all batches of the oracle give, one after the other. */
  private float[] joined(Function<List<HostTensor>, float[]> run) {
    float[] all = new float[0];
    for (List<HostTensor> inputs : oracle.batches()) {
      float[] one = run.apply(inputs);
      int before = all.length;
      all = Arrays.copyOf(all, before + one.length);
      System.arraycopy(one, 0, all, before, one.length);
    }
    return all;
  }

  private Gradients gradients(OnnxModel model, String pointer, String lossPointer) {
    PyTorchParameters trained = new PyTorchParameters(model, oracle.untransposed());
    TrainingGraph training = trainingGraph(model, trained);
    Graph graph = training.model().graph();
    training
        .gradients()
        .forEach(
            (value, gradient) -> {
              Tensor initial = Objects.requireNonNull(training.initialValues().get(value));
              if (!graph.isOutput(gradient)) {
                TensorType type = initial.type();
                graph.addOutput(ValueInfo.of(gradient, new TensorType(type.elementType(), null)));
              }
              graph.removeInput(value);
              graph.putInitializer(initial);
            });
    Map<String, float[]> outputs = OrtRun.run(training.model(), oracle.labelledBatch(), sessions);
    return new Gradients(
        trained.gradients(
            oracle.tensors(pointer), value -> outputs.get(training.gradients().get(value))),
        Difference.of(
            "the loss",
            oracle.number(lossPointer),
            Objects.requireNonNull(outputs.get(training.loss()))[0]));
  }

  private Difference parameters(String pointer, PyTorchParameters trained, GraphEngine engine) {
    Map<String, Tensor> actual = engine.parameters();
    Difference difference = Difference.NONE;
    for (Map.Entry<String, double[]> e : oracle.tensors(pointer).entrySet()) {
      Tensor tensor = Objects.requireNonNull(actual.get(trained.get(e.getKey()).value()));
      difference = difference.or(Difference.of(e.getKey(), e.getValue(), tensor.toFloats()));
    }
    return difference;
  }

  private Merged merged(OnnxModel merged, String pointer) {
    PyTorchParameters parameters = new PyTorchParameters(merged, oracle.untransposed());
    Difference weights = Difference.NONE;
    for (Map.Entry<String, double[]> e : oracle.tensors(pointer + "/weights").entrySet()) {
      Tensor weight =
          Objects.requireNonNull(
              merged.graph().initializer(parameters.get(e.getKey()).initializer()));
      weights = weights.or(parameters.difference(e.getKey(), e.getValue(), weight.toFloats()));
    }
    return new Merged(
        weights,
        Difference.of(
            "logits of the merged model",
            oracle.numbers(pointer + "/logits"),
            run(inferenceForm(merged))));
  }

  private TrainingGraph trainingGraph(OnnxModel model, PyTorchParameters trained) {
    ShapeInference inference = new SessionShapeInference(OrtRuntime.ofThisProcess());
    return TrainingGraph.build(
        oracle.trainedForm(model, inference), trained.values(), oracle.loss(), inference);
  }

  /** A model as evaluation sees it: dropout is off. */
  private static OnnxModel inferenceForm(OnnxModel model) {
    return TrainingNormalizer.withoutDropout(model);
  }

  private static float[] flat(float[][] rows) {
    float[] flat = new float[rows.length * rows[0].length];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, flat, i * rows[0].length, rows[0].length);
    }
    return flat;
  }
}
