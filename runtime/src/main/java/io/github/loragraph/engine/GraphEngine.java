package io.github.loragraph.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.Classifier;
import io.github.loragraph.evaluation.ModelSession;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.NodePlacement;
import io.github.loragraph.ort.OrtFailure;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.training.EvaluationGraph;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.LossScaling;
import io.github.loragraph.training.StepGraph;
import io.github.loragraph.training.StepLoop;
import io.github.loragraph.training.TrainingGraph;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Runs a step graph as an ordinary session on any build of ONNX Runtime and any of its devices.
 * Parameters and moments lie in the memory of the process between calls; on a GPU several steps in
 * one call save bringing them there and back for each.
 */
public final class GraphEngine implements Engine {
  /** The name by which it is chosen. */
  public static final String NAME = "graph";

  private final StepGraph graph;
  private final List<StepGraph.Carried> carried;
  private final StepCall call;
  private final OrtSession session;
  private final TrainingState state;

  /** Until the first call on a GPU is over; else null. */
  private @Nullable FirstCallProfile profile;

  private final Set<String> requested = new LinkedHashSet<>();
  private final List<StepNumbers> numbers = new ArrayList<>();
  private final long seed;
  private final int accumulation;
  private final EvaluationGraph evaluationGraph;
  private final Sessions sessions;
  private final Weights weights;
  private @Nullable ModelSession evaluation;
  private long steps;

  /** Batches that were begun since the last update. */
  private int gathered;

  private float lastRate;

  /**
   * Makes the session and sets the state to what the graph begins with, or to that of a checkpoint.
   *
   * @param evaluationGraph of the same model and trainable values; its session is made when it is
   *     asked for
   * @param weights must stay open for as long as the engine
   * @param start the state to go on from; null to begin
   * @param accumulation the most batches of a step
   * @param batchesPerCall the most batches in one call
   * @param seed decides what is dropped, where the graph has dropout
   * @throws LoraGraphException if ONNX Runtime refuses the graph
   */
  public GraphEngine(
      StepGraph graph,
      EvaluationGraph evaluationGraph,
      Sessions sessions,
      Weights weights,
      @Nullable Checkpoint start,
      int accumulation,
      int batchesPerCall,
      long seed) {
    this.graph = graph;
    this.carried = graph.carried();
    this.call =
        batchesPerCall == 1
            ? new OneStepCall(graph)
            : new LoopCall(StepLoop.of(graph), batchesPerCall);
    this.evaluationGraph = evaluationGraph;
    this.sessions = sessions.sparing(graph.model());
    this.weights = weights;
    this.accumulation = accumulation;
    this.seed = seed;
    this.profile =
        sessions.device().isGpu() && !sessions.isProfiling()
            ? new FirstCallProfile(NodePlacement.CUDA)
            : null;
    this.session =
        (profile == null ? this.sessions : profile.recording(this.sessions))
            .createForSteps(call.model(), weights);
    graph.figures().forEach(figure -> requested.add(call.output(figure)));
    for (int i = 0; i < batchesPerCall; i++) {
      numbers.add(new StepNumbers(graph));
    }
    try {
      state = new TrainingState(graph, sessions.runtime());
    } catch (OrtException e) {
      closeSession();
      throw OrtFailure.of("cannot allocate the training state", e);
    }
    if (start != null) {
      try {
        restore(start);
      } catch (RuntimeException | Error e) {
        close();
        throw e;
      }
    }
  }

  /** The numbers that the engine says of a step, in memory that is used again. */
  private static final class StepNumbers {
    private final Map<String, HostTensor> tensors = new HashMap<>();

    StepNumbers(StepGraph graph) {
      for (String name :
          List.of(
              StepGraph.LEARNING_RATE,
              StepGraph.STEP,
              StepGraph.UPDATE,
              StepGraph.BEGINS,
              TrainingGraph.SHARE,
              LoraDropout.SEED)) {
        if (graph.model().graph().isInput(name)) {
          tensors.put(name, scalar(name));
        }
      }
    }

    private static HostTensor scalar(String name) {
      ElementType type =
          switch (name) {
            case StepGraph.LEARNING_RATE, TrainingGraph.SHARE -> ElementType.FLOAT;
            case StepGraph.UPDATE, StepGraph.BEGINS -> ElementType.BOOL;
            default -> ElementType.INT64;
          };
      ByteBuffer data = ByteBuffer.allocateDirect(type.bytes()).order(ByteOrder.nativeOrder());
      return new HostTensor(name, type, new long[0], data);
    }

    /** The buffer of a number, or one that nobody reads where the graph does not ask for it. */
    private ByteBuffer buffer(String name) {
      HostTensor tensor = tensors.get(name);
      return tensor == null ? ByteBuffer.allocate(Long.BYTES) : tensor.data();
    }

    List<HostTensor> with(StepInput input, boolean begins, long step, long dropoutSeed) {
      buffer(StepGraph.LEARNING_RATE).putFloat(0, (float) input.learningRate());
      buffer(TrainingGraph.SHARE).putFloat(0, (float) input.share());
      buffer(StepGraph.STEP).putLong(0, step);
      buffer(StepGraph.UPDATE).put(0, (byte) (input.update() ? 1 : 0));
      buffer(StepGraph.BEGINS).put(0, (byte) (begins ? 1 : 0));
      buffer(LoraDropout.SEED).putLong(0, dropoutSeed);
      List<HostTensor> all = new ArrayList<>(input.batch());
      all.addAll(tensors.values());
      return all;
    }
  }

  /**
   * Sets parameters, moments and the number of steps to those of a checkpoint.
   *
   * @throws LoraGraphException if it is of another model or training
   */
  public void restore(Checkpoint checkpoint) {
    steps = state.restore(checkpoint);
    gathered = 0;
  }

  @Override
  public Checkpoint checkpoint() {
    return state.checkpoint(steps, lastRate);
  }

  /** Where each parameter and its moments lie. */
  List<StepGraph.Slot> slots() {
    return graph.slots();
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int batchesPerCall() {
    return call.most();
  }

  @Override
  public List<StepResult> steps(List<StepInput> inputs) {
    if (inputs.isEmpty() || inputs.size() > call.most()) {
      throw new IllegalArgumentException(
          "%d steps in a call of 1 to %d".formatted(inputs.size(), call.most()));
    }
    long step = steps;
    int before = gathered;
    List<List<HostTensor>> given = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      StepInput input = inputs.get(i);
      boolean begins = before == 0;
      before += input.piece() == 0 ? 1 : 0;
      long dropout = LoraDropout.seedOf(seed, step * accumulation + before, input.piece());
      given.add(numbers.get(i).with(input, begins, step + 1, dropout));
      step += input.update() ? 1 : 0;
      before = input.update() ? 0 : before;
    }
    List<OnnxTensor> owned = new ArrayList<>();
    try {
      Map<String, OnnxTensorLike> feeds = new HashMap<>();
      for (HostTensor tensor : call.inputs(given)) {
        OnnxTensor value = sessions.runtime().tensor(tensor);
        owned.add(value);
        feeds.put(tensor.name(), value);
      }
      Map<String, OnnxValue> pinned = new HashMap<>();
      for (StepGraph.Carried c : carried) {
        feeds.put(call.input(c), state.current().get(c.input()));
        pinned.put(call.output(c), state.next().get(c.input()));
      }
      List<StepResult> results = new ArrayList<>();
      try (OrtSession.Result outputs = session.run(feeds, requested, pinned)) {
        float[] losses = call.figure(outputs, graph.training().loss());
        float[] norms =
            graph.figures().contains(StepGraph.GRADIENT_NORM)
                ? call.figure(outputs, StepGraph.GRADIENT_NORM)
                : null;
        for (int i = 0; i < losses.length; i++) {
          double norm = norms == null || Float.isInfinite(norms[i]) ? Double.NaN : norms[i];
          results.add(new StepResult(losses[i], norm));
        }
      }
      if (profile != null) {
        profile.check(session);
        profile = null;
      }
      state.swap();
      gathered = before;
      steps = step;
      lastRate = (float) inputs.get(inputs.size() - 1).learningRate();
      return results;
    } catch (OrtException e) {
      throw OrtFailure.of("ONNX Runtime failed at step %d".formatted(steps + 1), e);
    } finally {
      owned.forEach(OnnxTensor::close);
    }
  }

  @Override
  public void forget() {
    gathered = 0;
  }

  @Override
  public Classifier classifier() {
    if (evaluation == null) {
      evaluation = new ModelSession(evaluationGraph, sessions, weights, state::parameterTensors);
    }
    return evaluation;
  }

  @Override
  public long steps() {
    return steps;
  }

  @Override
  public long skippedSteps() {
    Number skipped = state.number(LossScaling.SKIPPED_STEPS);
    return skipped == null ? 0 : skipped.longValue();
  }

  @Override
  public double lossScale() {
    Number scale = state.number(LossScaling.SCALE);
    return scale == null ? Double.NaN : scale.doubleValue();
  }

  @Override
  public Map<String, Tensor> parameters() {
    return state.parameters();
  }

  @Override
  public void close() {
    try {
      if (evaluation != null) {
        evaluation.close();
      }
    } finally {
      try {
        closeSession();
      } finally {
        state.close();
      }
    }
  }

  private void closeSession() {
    try {
      session.close();
      if (profile != null) {
        profile.close();
      }
    } catch (OrtException e) {
      throw OrtFailure.of("cannot close the session", e);
    }
  }
}
