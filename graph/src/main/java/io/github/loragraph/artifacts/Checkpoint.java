package io.github.loragraph.artifacts;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.InitializerUntying;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The state of a training, as ONNX Runtime's training API keeps it in one file.
 *
 * @param trainable parameters with a gradient
 * @param frozen parameters without
 * @param nominal whether the parameters have names only
 * @param groups the optimizer's state; none before the first step
 * @param properties anything else, of the types Long, Float and String
 */
public record Checkpoint(
    List<Tensor> trainable,
    List<Tensor> frozen,
    boolean nominal,
    List<OptimizerGroup> groups,
    Map<String, Object> properties) {
  /** The one group that ONNX Runtime's optimizer knows. */
  public static final String GROUP = "group0";

  /** What ONNX Runtime calls AdamW's first and second moment. */
  public static final List<String> MOMENTS = List.of("momentum0", "momentum1");

  /**
   * State that belongs to parameters which are updated alike.
   *
   * @param step updates made
   * @param initialLearningRate what the learning rate is set to on loading
   * @param states for each parameter its tensors by their names
   */
  public record OptimizerGroup(
      String name, long step, float initialLearningRate, Map<String, Map<String, Tensor>> states) {
    public OptimizerGroup {
      Map<String, Map<String, Tensor>> copy = new TreeMap<>();
      states.forEach((parameter, tensors) -> copy.put(parameter, Map.copyOf(tensors)));
      states = Collections.unmodifiableMap(copy);
    }
  }

  public Checkpoint {
    trainable = List.copyOf(trainable);
    frozen = List.copyOf(frozen);
    groups = List.copyOf(groups);
    properties = Map.copyOf(properties);
  }

  /** A checkpoint from before the first step. */
  public static Checkpoint ofParameters(List<Tensor> trainable) {
    return new Checkpoint(trainable, List.of(), false, List.of(), Map.of());
  }

  /** The group of a name; empty where there is none. */
  public Optional<OptimizerGroup> group(String name) {
    return groups.stream().filter(g -> g.name().equals(name)).findFirst();
  }

  /** The number of steps that led to it; 0 where it holds no state of an optimizer. */
  public long step() {
    return group(GROUP).map(OptimizerGroup::step).orElse(0L);
  }

  /** The same with one more property. */
  public Checkpoint with(String property, Object value) {
    Map<String, Object> all = new TreeMap<>(properties);
    all.put(property, value);
    return new Checkpoint(trainable, frozen, nominal, groups, all);
  }

  /** The first value that is no number (NaN or infinite), by its name; empty where all are. */
  public Optional<String> notANumber() {
    for (Tensor tensor : trainable) {
      if (!isFinite(tensor)) {
        return Optional.of("'" + tensor.name() + "'");
      }
    }
    for (OptimizerGroup group : groups) {
      for (Map.Entry<String, Map<String, Tensor>> state : group.states().entrySet()) {
        for (Tensor moment : state.getValue().values()) {
          if (!isFinite(moment)) {
            return Optional.of("%s of '%s'".formatted(moment.name(), state.getKey()));
          }
        }
      }
    }
    return Optional.empty();
  }

  private static boolean isFinite(Tensor tensor) {
    if (tensor.elementType() == ElementType.FLOAT) {
      FloatBuffer values = tensor.bytes().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
      while (values.hasRemaining()) {
        if (!Float.isFinite(values.get())) {
          return false;
        }
      }
    }
    return true;
  }

  /**
   * A model with the trainable parameters of this checkpoint; the given one is left as it is.
   *
   * @throws LoraGraphException if the checkpoint has names only, or a parameter that the model does
   *     not have, or has of another shape
   */
  public OnnxModel putInto(OnnxModel model) {
    if (nominal) {
      throw new LoraGraphException(
          "the checkpoint is a nominal one: it has names without values to apply");
    }
    Map<String, Parameter> byValue = new HashMap<>();
    Parameters.untied(model).forEach(p -> byValue.put(p.value(), p));
    for (Tensor tensor : trainable) {
      Parameter parameter = byValue.get(tensor.name());
      if (parameter == null || !Arrays.equals(parameter.dims(), tensor.dims())) {
        throw new LoraGraphException(
            "the checkpoint has '%s' of shape %s, and the model %s: it was trained from another model"
                .formatted(
                    tensor.name(),
                    Arrays.toString(tensor.dims()),
                    parameter == null
                        ? "has no such parameter"
                        : "has it of shape " + Arrays.toString(parameter.dims())));
      }
    }
    Map<String, Tensor> values = new LinkedHashMap<>();
    trainable.forEach(tensor -> values.put(tensor.name(), tensor));
    return InitializerUntying.withValues(model, values);
  }

  /**
   * Names without values, for programs that get the values from elsewhere: every parameter is an
   * empty tensor.
   */
  public Checkpoint toNominal() {
    return new Checkpoint(
        trainable.stream().map(Checkpoint::emptied).toList(),
        frozen.stream().map(Checkpoint::emptied).toList(),
        true,
        List.of(),
        properties);
  }

  private static Tensor emptied(Tensor tensor) {
    return Tensor.filled(tensor.name(), tensor.elementType(), 0, 0);
  }
}
