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
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

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
 *     to the memory of those before it: then whatever reads a parameter leads to the norm of the
 *     gradients, which every update waits for
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

  /** FLOAT scalar output, there only if gradients are clipped: their norm before it, unscaled. */
  public static final String GRADIENT_NORM = "gradient_norm";

  private static final String FIRST_MOMENT = ".exp_avg";
  private static final String SECOND_MOMENT = ".exp_avg_sq";
  private static final String GATHERED = ".grad_sum";
  private static final String UPDATED = ".updated";

  /** What is carried of a group: its values, and what is called after them. */
  private static final List<String> STATE = List.of("", FIRST_MOMENT, SECOND_MOMENT);

  private static final List<String> GATHERING_STATE =
      List.of("", FIRST_MOMENT, SECOND_MOMENT, GATHERED);

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
   *     are parts; that of the gathered gradient, where there is one
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
    return of(training, optimizer, maxGradientNorm, LossScaling.USUAL);
  }

  /**
   * The same with other loss scaling.
   *
   * @param scaling counts only where the training graph's gradients are scaled
   */
  public static StepGraph of(
      TrainingGraph training, AdamW optimizer, double maxGradientNorm, LossScaling scaling) {
    Graph graph = training.model().graph().copy();
    GraphBuilder b = new GraphBuilder(graph, "/optimizer");
    graph.addInput(ValueInfo.of(LEARNING_RATE, TensorType.of(ElementType.FLOAT)));
    graph.addInput(ValueInfo.of(STEP, TensorType.of(ElementType.INT64)));

    boolean scaled = graph.isInput(LossScaling.SCALE);
    boolean gathers = graph.isInput(TrainingGraph.SHARE);
    Set<String> exempt = optimizer.exempt(training);
    List<Tensor> parameters =
        training.gradients().keySet().stream()
            .map(name -> Objects.requireNonNull(training.initialValues().get(name)))
            .toList();
    List<ParameterGroup> groups = ParameterGroup.of(parameters, exempt, training.kernels(), graph);
    Map<ParameterGroup, String> gradients = gathered(b, training, groups, gathers, scaled);
    String norm = maxGradientNorm > 0 || scaled ? norm(b, gradients) : null;
    String scale =
        norm != null && maxGradientNorm > 0 ? reportAndClip(b, norm, maxGradientNorm) : null;
    String gathered = gathers ? UPDATE : null;
    Gate gate =
        norm != null && scaled
            ? gate(b, norm, gathered, scaling)
            : new Gate(gathered, STEP, List.of());
    AdamW.StepFactors factors = optimizer.factors(b, LEARNING_RATE, gate.updates(), scale);
    List<Slot> slots = new ArrayList<>();
    List<Carried> carried = new ArrayList<>();
    List<Tensor> initials = groups.stream().map(ParameterGroup::initial).toList();
    Zeros zeros = Zeros.forAll(initials);
    GroupUpdate update = new GroupUpdate(optimizer, factors, gate.opens(), gathers);
    boolean inPlace = norm != null && isReadBefore(graph, parameters, norm);
    for (int g = 0; g < groups.size(); g++) {
      ParameterGroup group = groups.get(g);
      Tensor initial = initials.get(g);
      group.declare(graph);
      String name = group.name();
      b.setScope("/optimizer/" + name);
      List<String> inputs = new ArrayList<>();
      for (String suffix : gathers ? GATHERING_STATE : STATE) {
        String input = name + suffix;
        inputs.add(input);
        if (!graph.isInput(input)) {
          graph.addInput(ValueInfo.of(input, initial.type()));
        }
      }
      List<String> values =
          update.of(b, group, inputs, Objects.requireNonNull(gradients.get(group)));
      for (int i = 0; i < values.size(); i++) {
        String output = output(graph, values.get(i), updated(inputs.get(i)), initial);
        Tensor before = i == 0 ? initial : zeros.like(initial).withName(inputs.get(i));
        carried.add(new Carried(inputs.get(i), output, before));
      }
      group
          .offsets()
          .forEach((p, offset) -> slots.add(new Slot(p.name(), List.copyOf(inputs), offset, p)));
    }
    carried.addAll(gate.state());
    graph.removeDeadNodes();
    return new StepGraph(training.model().withGraph(graph), training, slots, carried, inPlace);
  }

  /**
   * Whether all that reads parameters is done when a value is known: the nodes that read them, or
   * read them in another shape, all lead to it.
   */
  private static boolean isReadBefore(Graph graph, List<Tensor> parameters, String value) {
    Set<String> done = AnswerSearch.below(graph, value);
    List<String> open = new ArrayList<>();
    parameters.forEach(parameter -> open.add(parameter.name()));
    while (!open.isEmpty()) {
      for (Node reader : graph.consumers(open.remove(open.size() - 1))) {
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

  /**
   * The condition under which a step changes parameters: gradients may still be accumulating, or
   * not be finite.
   *
   * @param opens names a BOOL scalar, whether parameters change in this step; null if always
   * @param updates names an INT64 scalar, the number of this update if it is made
   */
  private record Gate(@Nullable String opens, String updates, List<Carried> state) {}

  /** A gate that stays shut where a gradient is not finite. */
  private static Gate gate(
      GraphBuilder b, String norm, @Nullable String gathered, LossScaling scaling) {
    b.setScope("/loss_scaling");
    scaling.addInputs(b.graph());
    String finite = scaling.finite(b, norm);
    List<String> next = scaling.emit(b, finite);
    List<Carried> state = scaling.carried();
    for (int i = 0; i < next.size(); i++) {
      Carried c = state.get(i);
      String after = gathered == null ? next.get(i) : b.where(gathered, next.get(i), c.input());
      output(b.graph(), after, c.output(), c.initial());
    }
    return new Gate(
        gathered == null ? finite : b.op("And", gathered, finite),
        b.sub(STEP, LossScaling.SKIPPED_STEPS),
        state);
  }

  /** The name of the output for an input that is carried. */
  static String updated(String input) {
    return input + UPDATED;
  }

  /** Zeros in the shapes of parameters, all over the same memory. */
  private record Zeros(ByteBuffer bytes) {
    static Zeros forAll(Collection<Tensor> tensors) {
      int largest = tensors.stream().mapToInt(t -> t.bytes().remaining()).max().orElse(0);
      return new Zeros(ByteBuffer.allocate(largest).asReadOnlyBuffer());
    }

    Tensor like(Tensor tensor) {
      ByteBuffer part = bytes.slice(0, tensor.bytes().remaining());
      return Tensor.of(tensor.name(), tensor.elementType(), part, tensor.dims());
    }
  }

  /** The sum over the batches of the step so far of the gradients without their loss scale. */
  private static Map<ParameterGroup, String> gathered(
      GraphBuilder b,
      TrainingGraph training,
      List<ParameterGroup> groups,
      boolean gathers,
      boolean scaled) {
    if (gathers) {
      b.graph().addInput(ValueInfo.of(UPDATE, TensorType.of(ElementType.BOOL)));
    }
    String factor = scaled ? b.div(b.scalar(ElementType.FLOAT, 1), LossScaling.SCALE) : null;
    Map<ParameterGroup, String> gathered = new LinkedHashMap<>();
    for (ParameterGroup group : groups) {
      b.setScope("/gradient/" + group.name());
      String gradient = group.gradient(b, training.gradients());
      String sum = factor != null ? b.mul(gradient, factor) : gradient;
      if (gathers) {
        String before = group.name() + GATHERED;
        b.graph().addInput(ValueInfo.of(before, group.type()));
        sum = b.add(before, sum);
      }
      gathered.put(group, sum);
    }
    return gathered;
  }

  private static String norm(GraphBuilder b, Map<ParameterGroup, String> gradients) {
    b.setScope("/optimizer");
    String[] squares =
        gradients.entrySet().stream()
            .map(entry -> entry.getKey().sumOfSquares(b, entry.getValue()))
            .toArray(String[]::new);
    return b.sqrt(squares.length == 1 ? squares[0] : b.op("Sum", squares));
  }

  private static String reportAndClip(GraphBuilder b, String norm, double maxGradientNorm) {
    Graph graph = b.graph();
    graph.add(
        Node.of("/optimizer/" + GRADIENT_NORM, "Identity", List.of(norm), List.of(GRADIENT_NORM)));
    graph.addOutput(ValueInfo.of(GRADIENT_NORM, TensorType.of(ElementType.FLOAT)));
    return clipScale(b, norm, maxGradientNorm);
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

  private static String output(Graph graph, String value, String name, Tensor like) {
    Node producer = graph.requireProducer(value);
    int index = producer.outputs().indexOf(value);
    graph.replace(producer, producer.withOutput(index, name));
    graph.redirectConsumers(value, name);
    graph.addOutput(ValueInfo.of(name, like.type()));
    return name;
  }
}
