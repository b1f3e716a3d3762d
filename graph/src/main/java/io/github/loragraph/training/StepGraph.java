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
import java.util.List;
import java.util.Map;

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

  /** FLOAT scalar output, there only if gradients are clipped: their norm before it. */
  public static final String GRADIENT_NORM = "gradient_norm";

  private static final String FIRST_MOMENT = ".exp_avg";
  private static final String SECOND_MOMENT = ".exp_avg_sq";
  private static final String UPDATED = ".updated";

  /**
   * The places of one parameter among inputs and outputs. All six are FLOAT tensors of one shape.
   *
   * @param initial the parameter's value in the model
   */
  public record Slot(
      String parameter,
      String firstMoment,
      String secondMoment,
      String updatedParameter,
      String updatedFirstMoment,
      String updatedSecondMoment,
      Tensor initial) {
    /** The inputs: parameter and moments. */
    public List<String> inputs() {
      return List.of(parameter, firstMoment, secondMoment);
    }

    /** The outputs, in the order of {@link #inputs}. */
    public List<String> outputs() {
      return List.of(updatedParameter, updatedFirstMoment, updatedSecondMoment);
    }
  }

  /**
   * Adds the optimizer to a training graph, which is left as it is.
   *
   * @param maxGradientNorm gradients are scaled down to this norm over all of them together, as
   *     {@code torch.nn.utils.clip_grad_norm_} does; 0 turns it off
   */
  public static StepGraph of(TrainingGraph training, AdamW optimizer, double maxGradientNorm) {
    Graph graph = training.model().graph().copy();
    GraphBuilder b = new GraphBuilder(graph, "/optimizer");
    graph.addInput(ValueInfo.of(LEARNING_RATE, TensorType.of(ElementType.FLOAT)));
    graph.addInput(ValueInfo.of(STEP, TensorType.of(ElementType.INT64)));

    String scale = maxGradientNorm > 0 ? clipScale(b, training, maxGradientNorm) : null;
    AdamW.StepFactors factors = optimizer.factors(b, LEARNING_RATE, STEP);
    List<Slot> slots = new ArrayList<>();
    for (Map.Entry<String, String> entry : training.gradients().entrySet()) {
      String parameter = entry.getKey();
      Tensor initial = training.initialValues().get(parameter);
      String gradient = entry.getValue();
      b.setScope("/optimizer/" + parameter);
      if (scale != null) {
        gradient = b.mul(gradient, scale);
      }
      AdamW.State state =
          new AdamW.State(parameter, parameter + FIRST_MOMENT, parameter + SECOND_MOMENT);
      graph.addInput(ValueInfo.of(state.firstMoment(), initial.type()));
      graph.addInput(ValueInfo.of(state.secondMoment(), initial.type()));
      AdamW.State updated = optimizer.emit(b, state, gradient, factors);
      slots.add(
          new Slot(
              state.parameter(),
              state.firstMoment(),
              state.secondMoment(),
              output(graph, updated.parameter(), state.parameter() + UPDATED, initial),
              output(graph, updated.firstMoment(), state.firstMoment() + UPDATED, initial),
              output(graph, updated.secondMoment(), state.secondMoment() + UPDATED, initial),
              initial));
    }
    graph.removeDeadNodes();
    return new StepGraph(training.model().withGraph(graph), training, slots);
  }

  private static String clipScale(GraphBuilder b, TrainingGraph training, double maxGradientNorm) {
    String[] squares =
        training.gradients().values().stream()
            .map(gradient -> b.reduce("ReduceSumSquare", gradient, "", false))
            .toArray(String[]::new);
    String norm = b.sqrt(squares.length == 1 ? squares[0] : b.op("Sum", squares));
    // The small number is the one that PyTorch adds.
    String scale =
        b.div(
            b.scalar(ElementType.FLOAT, maxGradientNorm),
            b.add(norm, b.scalar(ElementType.FLOAT, 1e-6)));
    Graph graph = b.graph();
    graph.add(
        Node.of("/optimizer/" + GRADIENT_NORM, "Identity", List.of(norm), List.of(GRADIENT_NORM)));
    graph.addOutput(ValueInfo.of(GRADIENT_NORM, TensorType.of(ElementType.FLOAT)));
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
