package io.github.loragraph.training;

import io.github.loragraph.autodiff.Autodiff;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.SharedTensors;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.passes.TrainingForm;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.shape.ShapePropagation;
import io.github.loragraph.shape.ValueTypes;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Forward, loss and gradients in one graph. The trainable parameters are graph inputs under the
 * names of their values; all frozen weights stay initializers, shared with the model that the graph
 * was built from.
 *
 * @param model its outputs are the loss and the logits
 * @param inputs what a batch consists of, without the labels
 * @param labels the declaration of the labels
 * @param loss names a FLOAT scalar
 * @param logits names what the loss is computed from: the model's answer, before a final Softmax or
 *     Sigmoid
 * @param gradients from the trainable values to the names of their gradients, of the same shapes,
 *     multiplied by {@link LossScaling#SCALE} and {@link #SHARE} where those are inputs; in the
 *     order in which they were asked for
 * @param unreached the trainable values that get no gradient: they are left as they are
 * @param initialValues the tensors of the trainable values in {@code gradients}
 * @param undecayed those that have no weight decay in {@link WeightDecay#WEIGHTS}
 */
public record TrainingGraph(
    OnnxModel model,
    List<ValueInfo> inputs,
    ValueInfo labels,
    String loss,
    String logits,
    Map<String, String> gradients,
    Unreached unreached,
    Map<String, Tensor> initialValues,
    Set<String> undecayed) {
  /**
   * FLOAT scalar input, there only if several batches make up a step: how much of the step's loss
   * is the batch's. Those of a step add up to 1.
   */
  public static final String SHARE = "batch_share";

  private static final String LOSS = "loss";

  /**
   * Builds the training graph of a model.
   *
   * @param trainable names of the values of floating-point parameters
   * @throws LoraGraphException if no output of the model, or more than one, fits the loss, an
   *     operator on the way has no gradient rule, or no trainable parameter reaches the loss
   */
  public static TrainingGraph build(
      OnnxModel source, Set<String> trainable, Loss loss, ShapeInference shapeInference) {
    return build(source, trainable, loss, LoraDropout.NONE, shapeInference);
  }

  /**
   * Builds the training graph of a model with dropout before its adapters; {@link LoraDropout#SEED}
   * is an input then.
   *
   * @throws LoraGraphException as the other does, or if dropout is on and there are no adapters
   */
  public static TrainingGraph build(
      OnnxModel source,
      Set<String> trainable,
      Loss loss,
      LoraDropout dropout,
      ShapeInference shapeInference) {
    return build(source, trainable, loss, dropout, Kernels.STANDARD, shapeInference);
  }

  /**
   * Builds the training graph of a model for a runtime that has more than standard operators.
   *
   * @param kernels what the gradients may be written with
   * @throws LoraGraphException as the others do
   */
  public static TrainingGraph build(
      OnnxModel source,
      Set<String> trainable,
      Loss loss,
      LoraDropout dropout,
      Kernels kernels,
      ShapeInference shapeInference) {
    return build(source, trainable, loss, dropout, kernels, Precision.FP32, false, shapeInference);
  }

  /**
   * Builds the training graph of a model with its matrix products in another type. Where that needs
   * loss scaling, {@link LossScaling#SCALE} is an input, by which all gradients are multiplied.
   *
   * @throws LoraGraphException as the others do, or if the model does not compute in FLOAT, or has
   *     a weight that is too large for the type
   */
  public static TrainingGraph build(
      OnnxModel source,
      Set<String> trainable,
      Loss loss,
      LoraDropout dropout,
      Precision precision,
      ShapeInference shapeInference) {
    return build(
        source, trainable, loss, dropout, Kernels.STANDARD, precision, false, shapeInference);
  }

  /**
   * Builds the training graph of a model with all that can be chosen.
   *
   * @param accumulates whether several batches make up a step: {@link #SHARE} is an input then, by
   *     which all gradients are multiplied
   * @throws LoraGraphException as the others do
   */
  public static TrainingGraph build(
      OnnxModel source,
      Set<String> trainable,
      Loss loss,
      LoraDropout dropout,
      Kernels kernels,
      Precision precision,
      boolean accumulates,
      ShapeInference shapeInference) {
    return source.namingFile(
        () ->
            built(
                source, trainable, loss, dropout, kernels, precision, accumulates, shapeInference));
  }

  private static TrainingGraph built(
      OnnxModel source,
      Set<String> trainable,
      Loss loss,
      LoraDropout dropout,
      Kernels kernels,
      Precision precision,
      boolean accumulates,
      ShapeInference shapeInference) {
    OnnxModel answering = Logits.of(source, loss.forms(), shapeInference).applyTo(source);
    OnnxModel own = SharedTensors.unshare(Logits.unmarked(answering), trainable);
    OnnxModel model = TrainingForm.of(own, trainable, shapeInference).model();
    Graph graph = model.graph();
    Set<String> undecayed = WeightDecay.exempt(source, graph, trainable);
    List<ValueInfo> inputs = graph.requiredInputs();
    if (dropout.isOn()) {
      dropout.addTo(model);
    }
    refuseReservedNames(graph);

    Map<String, Tensor> parameters = new LinkedHashMap<>();
    for (String value : trainable) {
      Tensor tensor = graph.initializer(value);
      if (tensor == null) {
        throw new LoraGraphException(
            "'" + value + "' cannot be trained: it is no initializer of the model");
      }
      parameters.put(value, tensor);
      graph.removeInitializer(value);
      graph.addInput(ValueInfo.of(value, tensor.type()));
    }

    String logits = graph.outputs().iterator().next().name();
    ValueTypes types =
        new ShapePropagation(Operators.all()).refine(graph, shapeInference.infer(model));
    TensorType logitsType = types.get(logits);
    if (precision != Precision.FP32 && logitsType.elementType() != ElementType.FLOAT) {
      throw new LoraGraphException(
          "--precision %s needs a model that computes in FLOAT: this one's logits are of type %s"
              .formatted(precision, logitsType.elementType()));
    }
    ValueInfo labels = loss.labels(logitsType);
    graph.addInput(labels);
    String lossValue =
        named(graph, loss.emit(new GraphBuilder(graph, "/loss"), logits, logitsType));
    graph.clearOutputs();
    graph.addOutput(ValueInfo.of(lossValue, TensorType.of(logitsType.elementType())));
    graph.addOutput(ValueInfo.of(logits, logitsType));

    types = shapeInference.infer(model);
    String scale = scale(graph, precision, accumulates, logitsType.elementType());
    Autodiff autodiff = new Autodiff(kernels);
    Map<String, String> gradients = autodiff.gradients(graph, types, lossValue, trainable, scale);
    Set<String> unreached = new LinkedHashSet<>(trainable);
    unreached.removeAll(gradients.keySet());
    Unreached without = Unreached.of(autodiff.cut(graph, types, lossValue, unreached), unreached);
    without.refuseIfAll(trainable);
    undecayed.removeAll(unreached);
    for (String value : unreached) {
      graph.putInitializer(parameters.remove(value));
      graph.removeInput(value);
    }
    if (precision != Precision.FP32) {
      types = shapeInference.infer(model);
      model = model.withGraph(MixedPrecision.of(graph, types, gradients.values(), precision));
    }
    return new TrainingGraph(
        Kernels.imported(model),
        inputs,
        labels,
        lossValue,
        logits,
        gradients,
        without,
        parameters,
        undecayed);
  }

  /** What the gradient of the loss is where the walk begins; null for 1. */
  private static String scale(
      Graph graph, Precision precision, boolean accumulates, ElementType type) {
    TensorType number = TensorType.of(ElementType.FLOAT);
    if (accumulates) {
      graph.addInput(ValueInfo.of(SHARE, number));
    }
    if (precision.scalesLoss()) {
      graph.addInput(ValueInfo.of(LossScaling.SCALE, number));
    }
    GraphBuilder b = new GraphBuilder(graph, "/loss");
    if (!precision.scalesLoss()) {
      return !accumulates ? null : type == ElementType.FLOAT ? SHARE : b.cast(SHARE, type);
    }
    return accumulates ? b.mul(LossScaling.SCALE, SHARE) : LossScaling.SCALE;
  }

  /** A name that users of the graph can guess. */
  private static String named(Graph graph, String loss) {
    String name = graph.freshName(LOSS);
    Node producer = graph.producer(loss);
    graph.replace(producer, producer.withOutput(producer.outputs().indexOf(loss), name));
    return name;
  }

  private static void refuseReservedNames(Graph graph) {
    for (ValueInfo input : graph.requiredInputs()) {
      if (input.name().equals(SHARE)) {
        throw new LoraGraphException(
            "the model has an input named '%s', which is the name of a number that training adds: rename it"
                .formatted(SHARE));
      }
      if (input.name().equals(Loss.LABELS)) {
        throw new LoraGraphException(
            "the model has an input named '%s' already: export it without its loss"
                .formatted(Loss.LABELS));
      }
    }
  }
}
