package io.github.loragraph.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.ort.OrtFailure;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.training.StepGraph;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a step graph carries from step to step, parameters and moments above all: two sets of
 * preallocated tensors. A call reads one set and writes the other, then they swap roles, so nothing
 * is copied between calls; where the graph allows it, parameters and moments of both are the same
 * memory. The engine that makes it closes it.
 */
final class TrainingState implements AutoCloseable {
  /** What a checkpoint's name of the scales of a moment's codes ends in. */
  private static final String SCALES = "_scales";

  private final OrtRuntime runtime;
  private final StepGraph graph;
  private final Map<OnnxTensor, ByteBuffer> contents = new HashMap<>();

  /** Parameters as tensors of their own, over the memory of the value that they are a part of. */
  private final Map<OnnxTensor, Map<String, OnnxTensor>> parts = new HashMap<>();

  /** What is carried, before the first step. */
  private final Map<String, Tensor> initials = new HashMap<>();

  /** By the names of the step graph's inputs. */
  private Map<String, OnnxTensor> current = new LinkedHashMap<>();

  private Map<String, OnnxTensor> next = new LinkedHashMap<>();

  /** The state before the first step. */
  TrainingState(StepGraph graph, OrtRuntime runtime) throws OrtException {
    this.runtime = runtime;
    this.graph = graph;
    List<StepGraph.Carried> numbers = numbers();
    for (StepGraph.Carried carried : graph.carried()) {
      current.put(carried.input(), allocate(carried.initial()));
      boolean same = graph.inPlace() && !numbers.contains(carried);
      next.put(carried.input(), same ? current.get(carried.input()) : allocate(carried.initial()));
      set(carried.input(), carried.initial());
      initials.put(carried.input(), carried.initial());
    }
  }

  private OnnxTensor allocate(Tensor like) throws OrtException {
    ByteBuffer buffer =
        ByteBuffer.allocateDirect(like.bytes().remaining()).order(ByteOrder.nativeOrder());
    OnnxTensor tensor = runtime.tensor(buffer, like.dims(), like.elementType());
    contents.put(tensor, buffer);
    return tensor;
  }

  /** What the next call reads, by the names of the step graph's inputs; a view. */
  Map<String, OnnxTensor> current() {
    return current;
  }

  /** Where the next call writes, by the same names; a view. */
  Map<String, OnnxTensor> next() {
    return next;
  }

  /** After a call: what was written is what the next one reads. */
  void swap() {
    Map<String, OnnxTensor> written = next;
    next = current;
    current = written;
  }

  private ByteBuffer content(String input) {
    return Objects.requireNonNull(contents.get(current.get(input)), input);
  }

  private void set(String input, Tensor value) {
    content(input).duplicate().put(value.bytes());
  }

  /** What a parameter has of a carried value: its type and shape. */
  private Tensor like(String input, StepGraph.Slot slot) {
    return slot.scales().isEmpty() || input.equals(slot.values())
        ? slot.initial()
        : Objects.requireNonNull(initials.get(input));
  }

  /** The part of a carried value that belongs to a parameter; codes are those of one alone. */
  private ByteBuffer part(String input, StepGraph.Slot slot) {
    return content(input)
        .slice(slot.offset(), like(input, slot).bytes().remaining())
        .order(ByteOrder.nativeOrder());
  }

  private void set(String input, StepGraph.Slot slot, Tensor value) {
    ByteBuffer place = part(input, slot);
    ElementType type = like(input, slot).elementType();
    if (value.elementType() != type) {
      throw new LoraGraphException(
          "the checkpoint's moments of '%s' are in %s, and in %s here: it is another training's"
              .formatted(slot.parameter(), value.elementType(), type));
    }
    if (place.remaining() != value.bytes().remaining()) {
      throw new LoraGraphException(
          "the checkpoint's '%s' has %,d bytes where the model's has %,d: it is another model's"
              .formatted(slot.parameter(), value.bytes().remaining(), place.remaining()));
    }
    place.put(value.bytes());
  }

  /** The carried values beside the parameter's own, by what a checkpoint calls them. */
  private static Map<String, String> optimizerState(StepGraph.Slot slot) {
    Map<String, String> inputs = new LinkedHashMap<>();
    inputs.put(Checkpoint.MOMENTS.get(0), slot.firstMoment());
    inputs.put(Checkpoint.MOMENTS.get(1), slot.secondMoment());
    for (int i = 0; i < slot.scales().size(); i++) {
      inputs.put(Checkpoint.MOMENTS.get(i) + SCALES, slot.scales().get(i));
    }
    return inputs;
  }

  /**
   * Sets the state to that of a checkpoint. What it does not have, since it was made without loss
   * scaling, begins anew.
   *
   * @return the number of steps that led there
   * @throws LoraGraphException if it is of another model or training
   */
  long restore(Checkpoint checkpoint) {
    Map<String, Tensor> parameters = new HashMap<>();
    checkpoint.trainable().forEach(t -> parameters.put(t.name(), t));
    Checkpoint.OptimizerGroup group = checkpoint.group(Checkpoint.GROUP).orElse(null);
    for (StepGraph.Slot slot : graph.slots()) {
      Tensor parameter = parameters.get(slot.parameter());
      if (parameter == null) {
        throw new LoraGraphException(
            "the checkpoint has no '%s': it is another training's".formatted(slot.parameter()));
      }
      set(slot.values(), slot, parameter);
      if (group != null) {
        Map<String, Tensor> moments = group.states().getOrDefault(slot.parameter(), Map.of());
        if (!moments.keySet().containsAll(Checkpoint.MOMENTS)) {
          throw new LoraGraphException(
              "the checkpoint has no moments of '%s': it is another training's"
                  .formatted(slot.parameter()));
        }
        optimizerState(slot)
            .forEach(
                (name, input) -> {
                  Tensor value = moments.get(name);
                  if (value == null) {
                    throw new LoraGraphException(
                        "the checkpoint has no scales of the moments of '%s': it is another training's"
                            .formatted(slot.parameter()));
                  }
                  set(input, slot, value);
                });
      }
    }
    for (StepGraph.Carried carried : numbers()) {
      Object number = checkpoint.properties().get(carried.input());
      set(carried.input(), number == null ? carried.initial() : tensorOf(carried, number));
    }
    return group == null ? 0 : group.step();
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

  /** A carried number; null where the graph carries none of the name. */
  @Nullable Number number(String input) {
    OnnxTensor tensor = current.get(input);
    if (tensor == null) {
      return null;
    }
    ByteBuffer value = content(input);
    return switch (tensor.getInfo().type) {
      case FLOAT -> (Number) value.getFloat(0);
      case INT64 -> (Number) value.getLong(0);
      default -> throw new IllegalStateException("'" + input + "' is no number");
    };
  }

  /**
   * The state, copied.
   *
   * @param steps that led there
   * @param learningRate of the last of them
   */
  Checkpoint checkpoint(long steps, float learningRate) {
    List<Tensor> parameters = new ArrayList<>();
    Map<String, Map<String, Tensor>> states = new HashMap<>();
    for (StepGraph.Slot slot : graph.slots()) {
      parameters.add(copy(slot.values(), slot.parameter(), slot));
      Map<String, Tensor> state = new HashMap<>();
      optimizerState(slot).forEach((name, input) -> state.put(name, copy(input, name, slot)));
      states.put(slot.parameter(), state);
    }
    Checkpoint.OptimizerGroup group =
        new Checkpoint.OptimizerGroup(Checkpoint.GROUP, steps, learningRate, states);
    Map<String, Object> properties = new HashMap<>();
    numbers().forEach(carried -> properties.put(carried.input(), number(carried.input())));
    return new Checkpoint(parameters, List.of(), false, List.of(group), properties);
  }

  private Tensor copy(String input, String name, StepGraph.Slot slot) {
    ByteBuffer source = part(input, slot);
    ByteBuffer copy = ByteBuffer.allocate(source.remaining()).order(ByteOrder.LITTLE_ENDIAN);
    copy.put(source).flip();
    Tensor like = like(input, slot);
    return Tensor.of(name, like.elementType(), copy, like.dims());
  }

  /** The parameters by name, copied. */
  Map<String, Tensor> parameters() {
    Map<String, Tensor> values = new LinkedHashMap<>();
    for (StepGraph.Slot slot : graph.slots()) {
      values.put(slot.parameter(), copy(slot.values(), slot.parameter(), slot));
    }
    return values;
  }

  /** A parameter as it is now; the tensors of both sets are made once. */
  private OnnxTensor tensor(StepGraph.Slot slot) {
    OnnxTensor whole = Objects.requireNonNull(current.get(slot.values()));
    return parts
        .computeIfAbsent(whole, w -> new HashMap<>())
        .computeIfAbsent(
            slot.parameter(),
            p -> {
              try {
                Tensor like = slot.initial();
                return runtime.tensor(part(slot.values(), slot), like.dims(), like.elementType());
              } catch (OrtException e) {
                throw OrtFailure.of("cannot read the parameters", e);
              }
            });
  }

  /** The tensors of the parameters, as they are until the next call. */
  Map<String, OnnxTensor> parameterTensors() {
    Map<String, OnnxTensor> parameters = new HashMap<>();
    for (StepGraph.Slot slot : graph.slots()) {
      parameters.put(slot.parameter(), tensor(slot));
    }
    return parameters;
  }

  @Override
  public void close() {
    parts.values().forEach(tensors -> tensors.values().forEach(OnnxTensor::close));
    contents.keySet().forEach(OnnxTensor::close);
  }
}
