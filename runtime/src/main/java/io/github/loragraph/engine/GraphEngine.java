package io.github.loragraph.engine;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.LoraGraphException;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.evaluation.Classifier;
import io.github.loragraph.evaluation.ModelSession;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.NativeLibrary;
import io.github.loragraph.ort.OrtTensors;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.ort.Weights;
import io.github.loragraph.training.EvaluationGraph;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.LossScaling;
import io.github.loragraph.training.StepGraph;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Runs a step graph as an ordinary session on any build of ONNX Runtime. What the graph carries
 * from step to step lies in two sets of preallocated tensors: a step reads one set and writes the
 * other, then they swap roles, so nothing is copied between steps.
 */
public final class GraphEngine implements Engine {
  /** The name on the command line. */
  public static final String NAME = "graph";

  private final StepGraph graph;
  private final OrtSession session;
  private final OrtEnvironment environment = NativeLibrary.environment();
  private final Set<String> requested = new LinkedHashSet<>();
  private final boolean clips;
  private final boolean gathers;
  private final OnnxTensor update;
  private final ByteBuffer updateValue = direct(1);

  /** The state before the next step, by the names of inputs. */
  private Map<String, OnnxTensor> current = new LinkedHashMap<>();

  /** Where the next step writes, by the same names. */
  private Map<String, OnnxTensor> next = new LinkedHashMap<>();

  private final Map<OnnxTensor, ByteBuffer> contents = new HashMap<>();
  private final OnnxTensor learningRate;
  private final ByteBuffer learningRateValue = direct(4);
  private final OnnxTensor step;
  private final OnnxTensor dropoutSeed;
  private final ByteBuffer dropoutSeedValue = direct(8);
  private final boolean drops;
  private final long seed;
  private final int accumulation;
  private final ByteBuffer stepValue = direct(8);
  private final EvaluationGraph evaluationGraph;
  private final Sessions sessions;
  private final Weights weights;
  private ModelSession evaluation;
  private long steps;
  private long batches;
  private float lastRate;

  /**
   * Makes the session and sets the state to what the graph begins with, or to that of a checkpoint.
   *
   * @param evaluationGraph of the same model and trainable values; its session is made when it is
   *     asked for
   * @param weights must stay open for as long as the engine
   * @param start the state to go on from; null to begin
   * @param accumulation the batches of a step, as the graph was built for
   * @param seed decides what is dropped, where the graph has dropout
   * @throws LoraGraphException if ONNX Runtime refuses the graph
   */
  public GraphEngine(
      StepGraph graph,
      EvaluationGraph evaluationGraph,
      Sessions sessions,
      Weights weights,
      Checkpoint start,
      int accumulation,
      long seed) {
    this.seed = seed;
    this.accumulation = accumulation;
    this.gathers = graph.model().graph().isInput(StepGraph.UPDATE);
    this.drops = graph.model().graph().isInput(LoraDropout.SEED);
    this.graph = graph;
    this.evaluationGraph = evaluationGraph;
    this.sessions = sessions;
    this.weights = weights;
    this.session = sessions.create(graph.model(), weights);
    this.clips = graph.model().graph().isOutput(StepGraph.GRADIENT_NORM);
    requested.add(graph.training().loss());
    if (clips) {
      requested.add(StepGraph.GRADIENT_NORM);
    }
    try {
      learningRate =
          OnnxTensor.createTensor(environment, learningRateValue, new long[0], OnnxJavaType.FLOAT);
      step = OnnxTensor.createTensor(environment, stepValue, new long[0], OnnxJavaType.INT64);
      dropoutSeed =
          OnnxTensor.createTensor(environment, dropoutSeedValue, new long[0], OnnxJavaType.INT64);
      for (StepGraph.Carried carried : graph.carried()) {
        current.put(carried.input(), allocate(carried.initial()));
        next.put(carried.input(), allocate(carried.initial()));
        set(carried.input(), carried.initial());
      }
      update = OnnxTensor.createTensor(environment, updateValue, new long[0], OnnxJavaType.BOOL);
      if (start != null) {
        restore(start);
      }
    } catch (OrtException e) {
      throw new LoraGraphException("cannot allocate the training state: " + e.getMessage(), e);
    }
  }

  private void set(String input, Tensor value) {
    ByteBuffer place = contents.get(current.get(input)).duplicate();
    if (place.remaining() != value.bytes().remaining()) {
      throw new LoraGraphException(
          "the checkpoint's '%s' has %,d bytes where the model's has %,d: it is another model's"
              .formatted(input, value.bytes().remaining(), place.remaining()));
    }
    place.put(value.bytes());
  }

  /**
   * Sets the state and the number of steps to those of a checkpoint. What it does not have, since
   * it was made without loss scaling, begins anew.
   *
   * @throws LoraGraphException if it is of another model or training
   */
  public void restore(Checkpoint checkpoint) {
    Map<String, Tensor> parameters = new HashMap<>();
    checkpoint.trainable().forEach(t -> parameters.put(t.name(), t));
    Checkpoint.OptimizerGroup group = checkpoint.group(Checkpoint.GROUP).orElse(null);
    for (StepGraph.Slot slot : graph.slots()) {
      Tensor parameter = parameters.get(slot.parameter());
      if (parameter == null) {
        throw new LoraGraphException(
            "the checkpoint has no '%s': it is another training's".formatted(slot.parameter()));
      }
      set(slot.parameter(), parameter);
      if (group != null) {
        Map<String, Tensor> moments = group.states().getOrDefault(slot.parameter(), Map.of());
        if (!moments.keySet().containsAll(Checkpoint.MOMENTS)) {
          throw new LoraGraphException(
              "the checkpoint has no moments of '%s': it is another training's"
                  .formatted(slot.parameter()));
        }
        set(slot.firstMoment(), moments.get(Checkpoint.MOMENTS.get(0)));
        set(slot.secondMoment(), moments.get(Checkpoint.MOMENTS.get(1)));
      }
    }
    for (StepGraph.Carried carried : numbers()) {
      Object number = checkpoint.properties().get(carried.input());
      set(carried.input(), number == null ? carried.initial() : tensorOf(carried, number));
    }
    steps = group == null ? 0 : group.step();
    batches = steps * accumulation;
  }

  /** What is carried and belongs to no parameter: a checkpoint has it among its properties. */
  private List<StepGraph.Carried> numbers() {
    Set<String> ofParameters = new HashSet<>();
    graph.slots().forEach(slot -> ofParameters.addAll(slot.inputs()));
    return graph.carried().stream().filter(c -> !ofParameters.contains(c.input())).toList();
  }

  private static Tensor tensorOf(StepGraph.Carried carried, Object number) {
    ElementType type = carried.initial().elementType();
    if (number instanceof Float value && type == ElementType.FLOAT) {
      return Tensor.ofFloats(carried.input(), new float[] {value});
    }
    if (number instanceof Long value && type == ElementType.INT64) {
      return Tensor.ofLongs(carried.input(), new long[] {value});
    }
    throw new LoraGraphException(
        "the checkpoint's '%s' is no number of type %s: it is another training's"
            .formatted(carried.input(), type));
  }

  @Override
  public Checkpoint checkpoint() {
    List<Tensor> parameters = new ArrayList<>();
    Map<String, Map<String, Tensor>> states = new HashMap<>();
    for (StepGraph.Slot slot : graph.slots()) {
      parameters.add(copy(slot.parameter(), slot.parameter(), slot));
      states.put(
          slot.parameter(),
          Map.of(
              Checkpoint.MOMENTS.get(0),
              copy(slot.firstMoment(), Checkpoint.MOMENTS.get(0), slot),
              Checkpoint.MOMENTS.get(1),
              copy(slot.secondMoment(), Checkpoint.MOMENTS.get(1), slot)));
    }
    Checkpoint.OptimizerGroup group =
        new Checkpoint.OptimizerGroup(Checkpoint.GROUP, steps, lastRate, states);
    Map<String, Object> properties = new HashMap<>();
    for (StepGraph.Carried carried : numbers()) {
      ByteBuffer value = contents.get(current.get(carried.input()));
      properties.put(
          carried.input(),
          switch (carried.initial().elementType()) {
            case FLOAT -> (Object) value.getFloat(0);
            case INT64 -> (Object) value.getLong(0);
            default -> throw new IllegalStateException("cannot save " + carried);
          });
    }
    return new Checkpoint(parameters, List.of(), false, List.of(group), properties);
  }

  private Tensor copy(String input, String name, StepGraph.Slot slot) {
    ByteBuffer source = contents.get(current.get(input)).duplicate();
    ByteBuffer copy = ByteBuffer.allocate(source.remaining()).order(ByteOrder.LITTLE_ENDIAN);
    copy.put(source).flip();
    return Tensor.of(name, ElementType.FLOAT, copy, slot.initial().dims());
  }

  private OnnxTensor allocate(Tensor like) throws OrtException {
    ByteBuffer buffer = direct(like.bytes().remaining());
    OnnxTensor tensor =
        OnnxTensor.createTensor(
            environment, buffer, like.dims(), OrtTensors.javaType(like.elementType()));
    contents.put(tensor, buffer);
    return tensor;
  }

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public StepResult step(List<HostTensor> batch, double rate, boolean last) {
    lastRate = (float) rate;
    updateValue.put(0, (byte) (last ? 1 : 0));
    learningRateValue.putFloat(0, (float) rate);
    stepValue.putLong(0, steps + 1);
    List<OnnxTensor> owned = new ArrayList<>();
    try {
      Map<String, OnnxTensorLike> inputs = new HashMap<>(current);
      for (HostTensor tensor : batch) {
        OnnxTensor value = OrtTensors.of(tensor);
        owned.add(value);
        inputs.put(tensor.name(), value);
      }
      inputs.put(StepGraph.LEARNING_RATE, learningRate);
      inputs.put(StepGraph.STEP, step);
      if (drops) {
        dropoutSeedValue.putLong(0, LoraDropout.seedOf(seed, batches + 1));
        inputs.put(LoraDropout.SEED, dropoutSeed);
      }
      if (gathers) {
        inputs.put(StepGraph.UPDATE, update);
      }
      Map<String, OnnxValue> pinned = new HashMap<>();
      for (StepGraph.Carried carried : graph.carried()) {
        pinned.put(carried.output(), next.get(carried.input()));
      }
      StepResult result;
      try (OrtSession.Result outputs = session.run(inputs, requested, pinned)) {
        double loss = OrtTensors.scalar(outputs, graph.training().loss());
        double norm = clips ? OrtTensors.scalar(outputs, StepGraph.GRADIENT_NORM) : Double.NaN;
        result = new StepResult(loss, Double.isInfinite(norm) ? Double.NaN : norm);
      }
      Map<String, OnnxTensor> written = next;
      next = current;
      current = written;
      batches++;
      steps += last ? 1 : 0;
      return result;
    } catch (OrtException e) {
      throw new LoraGraphException(
          "ONNX Runtime failed at step %d: %s".formatted(steps + 1, Sessions.firstLine(e)), e);
    } finally {
      owned.forEach(OnnxTensor::close);
    }
  }

  @Override
  public Classifier classifier() {
    if (evaluation == null) {
      evaluation = new ModelSession(evaluationGraph, sessions, weights, this::currentParameters);
    }
    return evaluation;
  }

  private Map<String, OnnxTensor> currentParameters() {
    Map<String, OnnxTensor> parameters = new HashMap<>();
    for (StepGraph.Slot slot : graph.slots()) {
      parameters.put(slot.parameter(), current.get(slot.parameter()));
    }
    return parameters;
  }

  @Override
  public long steps() {
    return steps;
  }

  @Override
  public long skippedSteps() {
    OnnxTensor skipped = current.get(LossScaling.SKIPPED_STEPS);
    return skipped == null ? 0 : contents.get(skipped).getLong(0);
  }

  @Override
  public double lossScale() {
    OnnxTensor scale = current.get(LossScaling.SCALE);
    return scale == null ? Double.NaN : contents.get(scale).getFloat(0);
  }

  @Override
  public Map<String, Tensor> parameters() {
    Map<String, Tensor> values = new LinkedHashMap<>();
    for (StepGraph.Slot slot : graph.slots()) {
      values.put(slot.parameter(), copy(slot.parameter(), slot.parameter(), slot));
    }
    return values;
  }

  @Override
  public void close() {
    try {
      if (evaluation != null) {
        evaluation.close();
      }
      session.close();
    } catch (OrtException e) {
      throw new LoraGraphException("cannot close the session: " + e.getMessage(), e);
    } finally {
      current.values().forEach(OnnxTensor::close);
      next.values().forEach(OnnxTensor::close);
      learningRate.close();
      step.close();
      dropoutSeed.close();
      update.close();
    }
  }
}
