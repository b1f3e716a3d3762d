package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.ops.Trait;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One whole training step as an ordinary ONNX model of standard operators: a batch, the learning
 * rate, the step's number, parameters and moments go in; the loss, the logits, updated parameters
 * and moments come out.
 *
 * @param model inputs: the batch, {@code labels}, {@code learning_rate}, {@code step}, and the
 *     state; outputs: loss, logits, {@code gradient_norm} where gradients are clipped, and the
 *     state after the step
 * @param carried the state: parameters and moments, gathered gradients, and the numbers of {@link
 *     LossScaling}, as far as there are such
 * @param inPlace whether the parameters, moments and gathered gradients after a step may be written
 *     to the memory of those before it: then whatever reads a parameter leads to what every update
 *     waits for, the norm of the gradients or their sum over the batches of a step
 */
public record StepGraph(
    OnnxModel model,
    TrainingGraph training,
    List<Slot> slots,
    List<Carried> carried,
    boolean inPlace) {
  /** FLOAT scalar input. */
  public static final String LEARNING_RATE = "learning_rate";

  /** INT64 scalar input, 1 at the first step; steps that are skipped count here. */
  public static final String STEP = "step";

  /**
   * BOOL scalar input, there only if gradients are gathered over several batches: whether this is
   * the last of them.
   */
  public static final String UPDATE = "apply_update";

  /** BOOL scalar input beside {@link #UPDATE}: whether this is the first batch of a step. */
  public static final String BEGINS = "begins_step";

  /** FLOAT scalar output, there only if gradients are clipped: their norm before it, unscaled. */
  public static final String GRADIENT_NORM = "gradient_norm";

  private static final String UPDATED = ".updated";

  /**
   * A value that a step hands to the next.
   *
   * @param input reads it
   * @param output is its new value, of the same type and shape
   * @param initial its value before the first step
   */
  public record Carried(String input, String output, Tensor initial) {}

  /**
   * Where one parameter, its moments and its gathered gradient lie: as parts of values that are
   * carried, at the same place in each of them. All are FLOAT.
   *
   * @param inputs the carried values of which the parameter, its first moment and its second one
   *     are parts; the scales of both, where they are codes; that of the gathered gradient, where
   *     there is one
   * @param offset where in those values it begins, in bytes
   * @param initial the parameter's value in the model
   */
  public record Slot(String parameter, List<String> inputs, int offset, Tensor initial) {
    /** The carried value that has the parameter. */
    public String values() {
      return inputs.get(0);
    }

    public String firstMoment() {
      return inputs.get(1);
    }

    public String secondMoment() {
      return inputs.get(2);
    }

    /** Those of the moments, in their order; none where moments are FLOAT. */
    public List<String> scales() {
      return inputs.size() < 5 ? List.of() : inputs.subList(3, 5);
    }

    /** Whether the moments are codes; the parameter is then alone in its values. */
    public boolean isCoded() {
      return !scales().isEmpty();
    }
  }

  /** What is new in each step: the batch, the labels, and what the engine says of the step. */
  public List<ValueInfo> perStep() {
    Set<String> state = carried.stream().map(Carried::input).collect(Collectors.toSet());
    return model.graph().requiredInputs().stream().filter(v -> !state.contains(v.name())).toList();
  }

  /** The FLOAT scalars that a step tells: the loss, and the gradients' norm where it is known. */
  public List<String> figures() {
    return model.graph().isOutput(GRADIENT_NORM)
        ? List.of(training.loss(), GRADIENT_NORM)
        : List.of(training.loss());
  }

  /**
   * Adds the optimizer to a training graph, which is left as it is. Where its batches have shares
   * of a step ({@link TrainingGraph#SHARE}), gradients are added up until {@link #UPDATE} is true.
   *
   * @param maxGradientNorm gradients are scaled down to this norm over all of them together, as
   *     {@code torch.nn.utils.clip_grad_norm_} does; 0 turns it off
   */
  public static StepGraph of(TrainingGraph training, AdamW optimizer, double maxGradientNorm) {
    return of(training, optimizer, maxGradientNorm, Moments.ADAMW);
  }

  /**
   * The same with moments that may be kept as codes.
   *
   * @param moments codes are for gradients without a loss scale, and for large parameters on a CPU
   */
  public static StepGraph of(
      TrainingGraph training, AdamW optimizer, double maxGradientNorm, Moments moments) {
    return of(training, optimizer, maxGradientNorm, LossScaling.USUAL, moments);
  }

  /**
   * The same with other loss scaling.
   *
   * @param scaling counts only where the training graph's gradients are scaled
   */
  public static StepGraph of(
      TrainingGraph training, AdamW optimizer, double maxGradientNorm, LossScaling scaling) {
    return of(training, optimizer, maxGradientNorm, scaling, Moments.ADAMW);
  }

  private static StepGraph of(
      TrainingGraph training,
      AdamW optimizer,
      double maxGradientNorm,
      LossScaling scaling,
      Moments moments) {
    Graph graph = training.model().graph().copy();
    GraphBuilder b = new GraphBuilder(graph, "");
    graph.addInput(ValueInfo.of(LEARNING_RATE, TensorType.of(ElementType.FLOAT)));
    graph.addInput(ValueInfo.of(STEP, TensorType.of(ElementType.INT64)));

    boolean scaled = graph.isInput(LossScaling.SCALE);
    boolean gathers = graph.isInput(TrainingGraph.SHARE);
    if (scaled && moments.areCodes()) {
      throw new IllegalArgumentException(moments + " under a loss scale");
    }
    Set<String> exempt = optimizer.exempt(training);
    List<Tensor> parameters =
        training.gradients().keySet().stream()
            .map(name -> Objects.requireNonNull(training.initialValues().get(name)))
            .toList();
    List<ParameterGroup> groups =
        ParameterGroup.of(parameters, exempt, training.kernels(), moments, graph);
    Map<ParameterGroup, String> gradients = gradients(b, training, groups, scaled);
    if (gathers) {
      gradients = GatheredGradients.of(b, gradients);
    }
    Graph readers = graph.copy();

    Map<String, Tensor> state = new LinkedHashMap<>();
    Map<ParameterGroup, List<String>> names = new LinkedHashMap<>();
    List<Slot> slots = new ArrayList<>();
    Zeros zeros = Zeros.forAll(groups);
    for (ParameterGroup group : groups) {
      List<String> inputs = new ArrayList<>();
      group
          .state()
          .forEach(
              (ending, type) -> {
                String input = group.name() + ending;
                inputs.add(input);
                state.put(input, ending.isEmpty() ? group.initial() : zeros.of(input, type));
              });
      names.put(group, List.copyOf(inputs));
      if (gathers) {
        String input = GatheredGradients.before(group);
        inputs.add(input);
        state.put(input, zeros.of(input, group.type()));
      }
      group
          .offsets()
          .forEach((p, offset) -> slots.add(new Slot(p.name(), List.copyOf(inputs), offset, p)));
    }
    if (scaled) {
      scaling.carried().forEach(number -> state.put(number.input(), number.initial()));
    }

    StepUpdate update =
        new StepUpdate(optimizer, gradients, names, maxGradientNorm, scaled ? scaling : null);
    Map<String, String> after = gathers ? update.where(UPDATE, b, state) : update.always(b);
    // What an update waits for, and the norm or the loss's scale show when all of it is there.
    List<String> awaited =
        gathers
            ? List.copyOf(gradients.values())
            : Stream.of(GRADIENT_NORM, LossScaling.SCALE)
                .map(after::get)
                .filter(Objects::nonNull)
                .limit(1)
                .toList();
    boolean inPlace = !awaited.isEmpty() && areReadBefore(graph, readers, parameters, awaited);
    groups.forEach(group -> group.declare(graph));
    List<Carried> carried = new ArrayList<>();
    state.forEach(
        (input, before) -> {
          if (!graph.isInput(input)) {
            graph.addInput(ValueInfo.of(input, before.type()));
          }
          String output = updated(input);
          String value = after.get(input);
          if (value != null) {
            graph.rename(value, output);
          }
          graph.addOutput(ValueInfo.of(output, before.type()));
          carried.add(new Carried(input, output, before));
        });
    String norm = after.get(GRADIENT_NORM);
    if (norm != null) {
      graph.rename(norm, GRADIENT_NORM);
      graph.addOutput(ValueInfo.of(GRADIENT_NORM, TensorType.of(ElementType.FLOAT)));
    }
    graph.removeDeadNodes();
    OnnxModel model = training.model().withGraph(graph);
    return new StepGraph(
        // The first whose QuantizeLinear makes 16 bits.
        moments == Moments.ADAMW_16BIT ? model.withOpset("", 21) : model,
        training,
        slots,
        carried,
        inPlace);
  }

  /**
   * Whether all that reads parameters is done when some values are known: the nodes that read them,
   * or read them in another shape, all lead to one of these.
   *
   * @param readers the nodes in question
   */
  private static boolean areReadBefore(
      Graph graph, Graph readers, List<Tensor> parameters, List<String> values) {
    Set<String> done = new HashSet<>(values);
    values.forEach(value -> done.addAll(AnswerSearch.below(graph, value)));
    List<String> open = new ArrayList<>();
    parameters.forEach(parameter -> open.add(parameter.name()));
    while (!open.isEmpty()) {
      for (Node reader : readers.consumers(open.remove(open.size() - 1))) {
        if (reader.outputs().stream().noneMatch(done::contains)) {
          return false;
        }
        // A value in another shape may be the same memory.
        if (Operators.all().has(reader, Trait.KEEPS_ENTRIES)) {
          open.addAll(reader.outputs());
        }
      }
    }
    return true;
  }

  /** The name of the output for an input that is carried. */
  static String updated(String input) {
    return input + UPDATED;
  }

  /** Zeros of any shape, all over the same memory. */
  private record Zeros(ByteBuffer bytes) {
    static Zeros forAll(List<ParameterGroup> groups) {
      int largest = groups.stream().mapToInt(ParameterGroup::bytes).max().orElse(0);
      return new Zeros(ByteBuffer.allocate(largest).asReadOnlyBuffer());
    }

    Tensor of(String name, TensorType type) {
      long[] dims = type.requireShape().dimensions().stream().mapToLong(d -> d.size()).toArray();
      long count = Arrays.stream(dims).reduce(1, (x, y) -> x * y);
      int size = Math.toIntExact(count * type.elementType().bytes());
      return Tensor.of(name, type.elementType(), bytes.slice(0, size), dims);
    }
  }

  /** The gradients of a batch without their loss scale. */
  private static Map<ParameterGroup, String> gradients(
      GraphBuilder b, TrainingGraph training, List<ParameterGroup> groups, boolean scaled) {
    b.setScope("/gradient");
    String factor = scaled ? b.div(b.scalar(ElementType.FLOAT, 1), LossScaling.SCALE) : null;
    Map<ParameterGroup, String> gradients = new LinkedHashMap<>();
    for (ParameterGroup group : groups) {
      b.setScope("/gradient/" + group.name());
      String gradient = group.gradient(b, training.gradients());
      gradients.put(group, factor != null ? b.mul(gradient, factor) : gradient);
    }
    return gradients;
  }

  /**
   * What gradients are multiplied by so that their norm is at most a given one.
   *
   * @param norm names their norm, a FLOAT scalar
   * @return the name of a scalar
   */
  public static String clipScale(GraphBuilder b, String norm, double maxGradientNorm) {
    // The small number is the one that PyTorch adds.
    String scale =
        b.div(
            b.scalar(ElementType.FLOAT, maxGradientNorm),
            b.add(norm, b.scalar(ElementType.FLOAT, 1e-6)));
    return b.op("Min", scale, b.scalar(ElementType.FLOAT, 1));
  }
}
