package io.github.loragraph.engine;

import ai.onnxruntime.OrtException;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.artifacts.OptimizerModel;
import io.github.loragraph.artifacts.TrainingArtifacts;
import io.github.loragraph.data.Batch;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ort.Device;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.training.EvaluationGraph;
import io.github.loragraph.training.Logits;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.Moments;
import io.github.loragraph.training.Optimization;
import io.github.loragraph.training.Precision;
import io.github.loragraph.training.StepGraph;
import io.github.loragraph.training.TrainingGraph;
import io.github.loragraph.training.Unreached;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Opens the engine for a training. Long because which engine takes what is decided here alone.
 *
 * @param model is trained
 * @param answering answers in evaluations, with the trained values of the other; null where that is
 *     the same model
 * @param trainable the values of the parameters to train
 * @param accumulation the most batches of a step
 * @param inPieces whether batches may be in pieces, so that gradients are gathered in any case
 * @param batchesPerCall the most batches that the graph engine runs in one call
 * @param seed decides what dropout drops
 */
public record Engines(
    OnnxModel model,
    @Nullable OnnxModel answering,
    Set<String> trainable,
    Loss loss,
    Optimization optimization,
    int accumulation,
    boolean inPieces,
    int batchesPerCall,
    long seed,
    Sessions sessions) {
  /** Shorter runs are over before measuring has paid. */
  private static final long WORTH_MEASURING = 200;

  private static final int MEASURED = 3;

  /** Engines for a model that answers as it is trained, in whole batches. */
  public Engines(
      OnnxModel model,
      Set<String> trainable,
      Loss loss,
      Optimization optimization,
      int accumulation,
      int batchesPerCall,
      long seed,
      Sessions sessions) {
    this(
        model,
        null,
        trainable,
        loss,
        optimization,
        accumulation,
        false,
        batchesPerCall,
        seed,
        sessions);
  }

  public Engines {
    if (accumulation < 1) {
      throw new LoraGraphException(
          "%d batches in a step are not possible: give 1 or more".formatted(accumulation));
    }
    if (batchesPerCall < 1) {
      throw new LoraGraphException(
          "%d batches in a call are not possible: give 1 or more".formatted(batchesPerCall));
    }
  }

  /**
   * An engine, with what the loop needs to know of its graph. Who opens it closes it, and with it
   * the engine and the weights.
   *
   * @param inputs what a batch consists of, without the labels
   * @param unreached trainable values that get no gradient
   * @param pieces of the layers that could be computed again; 0 where that was not asked for
   */
  public record Opened(
      Engine engine,
      List<ValueInfo> inputs,
      ValueInfo labels,
      Unreached unreached,
      int pieces,
      Weights weights)
      implements AutoCloseable {
    @Override
    public void close() {
      try {
        engine.close();
      } finally {
        weights.close();
      }
    }
  }

  /** Makes the labelled batch that engines are compared on; who asks for it closes it. */
  @FunctionalInterface
  public interface FirstBatch {
    /**
     * @param inputs the model's inputs
     * @param labels the declaration of the labels
     */
    Batch of(List<ValueInfo> inputs, ValueInfo labels);
  }

  /**
   * Opens the build of ONNX Runtime that an engine needs, or a choice of engines.
   *
   * @param steps of the whole run
   * @throws LoraGraphException if the build is not to be had here, or the engine cannot compute on
   *     that device or in that precision
   */
  public static OrtRuntime runtime(
      EngineKind kind, Device device, Precision precision, long steps) {
    refuse(kind, device, precision);
    if (device.isGpu()) {
      return OrtRuntime.open(OrtRuntime.Build.CUDA);
    }
    boolean measures =
        kind == EngineKind.AUTO
            && precision == Precision.FP32
            && isWorthMeasuring(steps)
            && OrtRuntime.canOpen(OrtRuntime.Build.TRAINING);
    return kind == EngineKind.TRAINING_API || measures
        ? OrtRuntime.open(OrtRuntime.Build.TRAINING)
        : OrtRuntime.ofThisProcess();
  }

  /**
   * Opens an engine.
   *
   * @param start the state to go on from; null to begin
   * @param steps of the whole run
   * @param firstBatch asked for only if engines are compared
   * @param log hears in one line which engine was taken and why, where that was a choice
   * @throws LoraGraphException if the model cannot be trained, or the engine is not to be had here
   */
  public Opened open(
      EngineKind kind,
      @Nullable Checkpoint start,
      long steps,
      @Nullable FirstBatch firstBatch,
      Consumer<String> log) {
    boolean gpu = sessions.device().isGpu();
    Precision precision = optimization.precision();
    refuse(kind, sessions.device(), precision);
    if (kind == EngineKind.TRAINING_API && batchesPerCall > 1) {
      throw new LoraGraphException(
          "several steps in a call (%d) need the graph engine".formatted(batchesPerCall),
          Remedy.OMIT_ENGINE.with(kind));
    }
    Moments moments = optimization.moments();
    if (kind == EngineKind.TRAINING_API && moments.areCodes()) {
      throw new LoraGraphException(
          "%s needs the graph engine: the optimizer of ONNX Runtime's training API keeps moments in fp32"
              .formatted(moments),
          Remedy.OMIT_ENGINE.with(kind));
    }
    if (kind == EngineKind.TRAINING_API) {
      return trainingApi(start);
    }
    if (moments.areCodes()) {
      if (kind != EngineKind.GRAPH) {
        log.accept("engine graph: only that one trains with " + moments);
      }
      Opened opened = graph(start);
      log.accept(moments.noteOn(((GraphEngine) opened.engine()).slots()));
      return opened;
    }
    if (kind == EngineKind.GRAPH) {
      return graph(start);
    }
    if (gpu) {
      log.accept("engine graph: ONNX Runtime's training API runs on the CPU only");
      return graph(start);
    }
    if (precision != Precision.FP32) {
      log.accept("engine graph: only that one trains with precision " + precision);
      return graph(start);
    }
    if (batchesPerCall > 1) {
      log.accept("engine graph: only that one does several steps in a call");
      return graph(start);
    }
    if (!isWorthMeasuring(steps)) {
      log.accept(
          "engine graph: a run of %d steps is too short to measure engines".formatted(steps));
      return graph(start);
    }
    if (sessions.runtime().build() != OrtRuntime.Build.TRAINING) {
      log.accept("engine graph: ONNX Runtime's training build is not to be had here");
      return graph(start);
    }
    return faster(start, Objects.requireNonNull(firstBatch), log);
  }

  private static void refuse(EngineKind kind, Device device, Precision precision) {
    if (kind == EngineKind.TRAINING_API && device.isGpu()) {
      throw new LoraGraphException(
          "ONNX Runtime's training API runs on the CPU only", Remedy.GRAPH_ENGINE_OR_CPU);
    }
    if (kind == EngineKind.TRAINING_API && precision != Precision.FP32) {
      throw new LoraGraphException(
          "precision %s needs the graph engine".formatted(precision),
          Remedy.OMIT_ENGINE.with(kind));
    }
  }

  private Opened faster(@Nullable Checkpoint start, FirstBatch firstBatch, Consumer<String> log) {
    double api;
    try (Opened opened = trainingApi(start)) {
      api = secondsForStep(opened, firstBatch);
    }
    Opened graph = graph(start);
    try {
      GraphEngine engine = (GraphEngine) graph.engine();
      Checkpoint before = engine.checkpoint();
      double own = secondsForStep(graph, firstBatch);
      EngineKind better = EngineKind.better(own, api);
      log.accept(
          String.format(
              Locale.ROOT,
              "engine %s: a step takes %.3f s in graph and %.3f s in training-api, which is taken"
                  + " if it is more than a tenth faster",
              better,
              own,
              api));
      if (better == EngineKind.GRAPH) {
        engine.restore(before);
        return graph;
      }
    } catch (RuntimeException e) {
      graph.close();
      throw e;
    }
    graph.close();
    return trainingApi(start);
  }

  /** The fastest of a few steps, as other processes can only slow one down. */
  private static double secondsForStep(Opened opened, FirstBatch firstBatch) {
    try (Batch batch = firstBatch.of(opened.inputs(), opened.labels())) {
      return FastestCall.seconds(MEASURED, () -> opened.engine().step(batch.withLabels(), 0));
    }
  }

  private Opened graph(@Nullable Checkpoint start) {
    TrainingGraph training =
        TrainingGraph.build(
            model,
            trainable,
            loss,
            optimization
                .graphOptions(gathers())
                .withKernels(kernels(sessions.device(), optimization.precision())),
            new SessionShapeInference(sessions.runtime()));
    StepGraph step =
        StepGraph.of(
            training,
            optimization.optimizer(),
            optimization.maxGradientNorm(),
            optimization.moments());
    EvaluationGraph answers = answers(training.gradients().keySet());
    Weights weights = new Weights();
    try {
      Engine engine =
          new GraphEngine(
              step, answers, sessions, weights, start, accumulation, batchesPerCall, seed);
      return new Opened(
          engine,
          training.inputs(),
          training.labels(),
          training.unreached(),
          training.pieces(),
          weights);
    } catch (RuntimeException e) {
      weights.close();
      throw explained(e);
    }
  }

  /**
   * What the graph engine's gradients are written for. The forms for a CPU are of single precision:
   * they take the same sum of other products, which differs where products are rounded to 16 bits.
   */
  public static Kernels kernels(Device device, Precision precision) {
    return device.isGpu() || precision != Precision.FP32 ? Kernels.STANDARD : Kernels.CPU;
  }

  /** Whether a run of so many steps is long enough for a measurement at its beginning to pay. */
  public static boolean isWorthMeasuring(long steps) {
    return steps >= WORTH_MEASURING;
  }

  private boolean gathers() {
    return accumulation > 1 || inPieces;
  }

  private EvaluationGraph answers(Set<String> trained) {
    return EvaluationGraph.of(
        answering == null
            ? Logits.of(model, loss.forms(), new SessionShapeInference(sessions.runtime()))
                .applyTo(model)
            : answering,
        trained);
  }

  /** ONNX Runtime names the first node alone that it has no kernel for. */
  private RuntimeException explained(RuntimeException e) {
    if (optimization.precision() != Precision.FP32
        && e.getCause() instanceof OrtException cause
        && cause.getCode() == OrtException.OrtErrorCode.ORT_NOT_IMPLEMENTED) {
      return new LoraGraphException(
          "ONNX Runtime has no matrix products in %s on this device"
              .formatted(optimization.precision()),
          Remedy.CHOOSE_PRECISION.with("fp16 or fp32"),
          e);
    }
    return e;
  }

  private Opened trainingApi(@Nullable Checkpoint start) {
    TrainingArtifacts artifacts =
        TrainingArtifacts.forEngine(
            model,
            trainable,
            loss,
            new OptimizerModel(
                Optional.of(optimization.optimizer()), optimization.maxGradientNorm()),
            optimization.graphOptions(gathers()).withKernels(Kernels.TRAINING_BUILD),
            new SessionShapeInference(sessions.runtime()));
    Engine engine = new TrainingApiEngine(artifacts, sessions, start, accumulation, seed);
    Weights weights = new Weights();
    if (answering != null) {
      engine = new AnsweringEngine(engine, this::answers, sessions, weights);
    }
    return new Opened(
        engine,
        artifacts.inputs(),
        artifacts.labels(),
        artifacts.unreached(),
        artifacts.pieces(),
        weights);
  }
}
