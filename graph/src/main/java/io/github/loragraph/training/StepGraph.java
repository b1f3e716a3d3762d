package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * One whole training step as an ordinary ONNX model of standard operators: a batch, the learning
 * rate, the step's number, parameters and moments go in; the loss, the logits, updated parameters
 * and moments come out.
 *
 * @param model inputs: the batch, {@code labels}, {@code learning_rate}, {@code step}, and for each
 *     parameter itself and its two moments; outputs: loss, logits, {@code gradient_norm} where
 *     gradients are clipped, and for each parameter what {@link Slot} names
 */
public record StepGraph(OnnxModel model, TrainingGraph training, List<Slot> slots) {
  /** FLOAT scalar input. */
  public static final String LEARNING_RATE = "learning_rate";

  /** INT64 scalar input, 1 at the first step. */
  public static final String STEP = "step";

  /**
   * BOOL scalar input, there only if gradients are gathered over several batches: whether this is
   * the last of them.
   */
  public static final String UPDATE = "apply_update";

  /** FLOAT scalar output, there only if gradients are clipped: their norm before it. */
  public static final String GRADIENT_NORM = "gradient_norm";

  private static final String FIRST_MOMENT = ".exp_avg";
  private static final String SECOND_MOMENT = ".exp_avg_sq";
  private static final String GATHERED = ".grad_sum";
  private static final String UPDATED = ".updated";

  /**
   * The places of one parameter among inputs and outputs. All are FLOAT tensors of one shape.
   *
   * @param inputs the parameter and its moments; the gathered gradient, where there is one
   * @param outputs their new values, in the same order
   * @param initial the parameter's value in the model
   */
  public record Slot(String parameter, List<String> inputs, List<String> outputs, Tensor initial) {
    public String firstMoment() {
      return inputs.get(1);
    }

    public String secondMoment() {
      return inputs.get(2);
    }
  }

  /**
   * A value that goes from step to step: what a step writes to the output, the next one reads from
   * the input.
   *
   * @param initial what the first step reads, of the name of the input
   */
  public record Carried(String input, String output, Tensor initial) {}

  /**
   * All that goes from step to step: of each slot the parameter as it is and zeros for the rest.
   */
  public List<Carried> carried() {
    List<Carried> carried = new ArrayList<>();
    for (Slot slot : slots) {
      for (int i = 0; i < slot.inputs().size(); i++) {
        String input = slot.inputs().get(i);
        Tensor initial =
            i == 0
                ? slot.initial()
                : Tensor.filled(input, ElementType.FLOAT, 0, slot.initial().dims());
        carried.add(new Carried(input, slot.outputs().get(i), initial));
      }
    }
    return carried;
  }

  /** What is new in each step: the batch, the labels, and what the engine says of the step. */
  public List<ValueInfo> perStep() {
    Set<String> state = carried().stream().map(Carried::input).collect(Collectors.toSet());
    return model.graph().requiredInputs().stream().filter(v -> !state.contains(v.name())).toList();
  }

  /** The FLOAT scalars that a step tells: the loss, and the gradients' norm where it is known. */
  public List<String> figures() {
    return model.graph().isOutput(GRADIENT_NORM)
        ? List.of(training.loss(), GRADIENT_NORM)
        : List.of(training.loss());
  }

  /** A step of one batch. */
  public static StepGraph of(TrainingGraph training, AdamW optimizer, double maxGradientNorm) {
    return of(training, optimizer, maxGradientNorm, 1);
  }

  /**
   * Adds the optimizer to a training graph, which is left as it is.
   *
   * @param maxGradientNorm gradients are scaled down to this norm over all of them together, as
   *     {@code torch.nn.utils.clip_grad_norm_} does; 0 turns it off
   * @param batches whose gradients are averaged before parameters change, 1 or more
   */
  public static StepGraph of(
      TrainingGraph training, AdamW optimizer, double maxGradientNorm, int batches) {
    Graph graph = training.model().graph().copy();
    GraphBuilder b = new GraphBuilder(graph, "/optimizer");
    graph.addInput(ValueInfo.of(LEARNING_RATE, TensorType.of(ElementType.FLOAT)));
    graph.addInput(ValueInfo.of(STEP, TensorType.of(ElementType.INT64)));

    Map<String, String> gradients =
        batches == 1 ? training.gradients() : gathered(b, training, batches);
    String scale = maxGradientNorm > 0 ? clipScale(b, gradients, maxGradientNorm) : null;
    AdamW.StepFactors factors = optimizer.factors(b, LEARNING_RATE, STEP);
    List<Slot> slots = new ArrayList<>();
    for (Map.Entry<String, String> entry : gradients.entrySet()) {
      String parameter = entry.getKey();
      Tensor initial = training.initialValues().get(parameter);
      String gradient = entry.getValue();
      b.setScope("/optimizer/" + parameter);
      String total = gradient;
      if (scale != null) {
        gradient = b.mul(gradient, scale);
      }
      AdamW.State state =
          new AdamW.State(parameter, parameter + FIRST_MOMENT, parameter + SECOND_MOMENT);
      graph.addInput(ValueInfo.of(state.firstMoment(), initial.type()));
      graph.addInput(ValueInfo.of(state.secondMoment(), initial.type()));
      AdamW.State updated = optimizer.emit(b, state, gradient, factors);
      List<String> inputs =
          new ArrayList<>(List.of(parameter, state.firstMoment(), state.secondMoment()));
      List<String> values =
          new ArrayList<>(
              List.of(updated.parameter(), updated.firstMoment(), updated.secondMoment()));
      if (batches > 1) {
        for (int i = 0; i < values.size(); i++) {
          values.set(i, b.where(UPDATE, values.get(i), inputs.get(i)));
        }
        inputs.add(parameter + GATHERED);
        values.add(b.where(UPDATE, b.scalar(ElementType.FLOAT, 0), total));
      }
      List<String> outputs = new ArrayList<>();
      for (int i = 0; i < values.size(); i++) {
        outputs.add(output(graph, values.get(i), inputs.get(i) + UPDATED, initial));
      }
      slots.add(new Slot(parameter, inputs, outputs, initial));
    }
    graph.removeDeadNodes();
    return new StepGraph(training.model().withGraph(graph), training, slots);
  }

  /** What was gathered so far, with this batch's share. */
  private static Map<String, String> gathered(GraphBuilder b, TrainingGraph training, int batches) {
    b.graph().addInput(ValueInfo.of(UPDATE, TensorType.of(ElementType.BOOL)));
    String share = b.scalar(ElementType.FLOAT, 1.0 / batches);
    Map<String, String> gathered = new LinkedHashMap<>();
    training
        .gradients()
        .forEach(
            (parameter, gradient) -> {
              b.setScope("/accumulation/" + parameter);
              String before = parameter + GATHERED;
              TensorType type = training.initialValues().get(parameter).type();
              b.graph().addInput(ValueInfo.of(before, type));
              gathered.put(parameter, b.add(before, b.mul(gradient, share)));
            });
    return gathered;
  }

  private static String clipScale(
      GraphBuilder b, Map<String, String> gradients, double maxGradientNorm) {
    String[] squares =
        gradients.values().stream()
            .map(gradient -> b.reduce("ReduceSumSquare", gradient, "", false))
            .toArray(String[]::new);
    String norm = b.sqrt(squares.length == 1 ? squares[0] : b.op("Sum", squares));
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
    Node producer = graph.producer(value);
    int index = producer.outputs().indexOf(value);
    graph.replace(producer, producer.withOutput(index, name));
    graph.redirectConsumers(value, name);
    graph.addOutput(ValueInfo.of(name, like.type()));
    return name;
  }
}
