package io.github.loragraph.training;

import io.github.loragraph.autodiff.Autodiff;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.lora.InitializerUntying;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.passes.AttentionBlocks;
import io.github.loragraph.passes.FactorInGemm;
import io.github.loragraph.passes.Pass;
import io.github.loragraph.passes.TrainingNormalizer;
import io.github.loragraph.passes.TypedModel;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.shape.ValueTypes;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

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
 * @param kernels that it is written for
 * @param pieces into how many pieces its layers fall that could be computed again for the way back;
 *     0 also where that was not asked for
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
    Set<String> undecayed,
    Kernels kernels,
    int pieces) {
  /**
   * FLOAT scalar input, there only if several batches make up a step: how much of the step's loss
   * is the batch's. Those of a step add up to 1.
   */
  public static final String SHARE = "batch_share";

  private static final String LOSS = "loss";

  /**
   * Builds the training graph of a model as {@link GraphOptions#PLAIN} says.
   *
   * @param trainable names of the values of floating-point parameters
   * @throws LoraGraphException if no output of the model, or more than one, fits the loss, an
   *     operator on the way has no gradient rule, or no trainable parameter reaches the loss
   */
  public static TrainingGraph build(
      OnnxModel source, Set<String> trainable, Loss loss, ShapeInference shapeInference) {
    return build(source, trainable, loss, GraphOptions.PLAIN, shapeInference);
  }

  /**
   * Builds the training graph of a model. {@link LoraDropout#SEED} is an input where there is
   * dropout, {@link LossScaling#SCALE} where the precision needs it, and {@link #SHARE} where
   * several batches make up a step; by the last two all gradients are multiplied.
   *
   * @param shapeInference asked twice at most
   * @throws LoraGraphException as the other does; also if dropout is on and there are no adapters,
   *     or if a precision is asked for of a model that does not compute in FLOAT, or has a weight
   *     that is too large for the type; if nothing can be computed again, or no layer is large
   *     enough for 8 bits, where that is asked for
   */
  public static TrainingGraph build(
      OnnxModel source,
      Set<String> trainable,
      Loss loss,
      GraphOptions options,
      ShapeInference shapeInference) {
    return source.namingFile(() -> built(source, trainable, loss, options, shapeInference));
  }

  private static TrainingGraph built(
      OnnxModel source,
      Set<String> trainable,
      Loss loss,
      GraphOptions options,
      ShapeInference shapeInference) {
    Precision precision = options.precision();
    TypedModel read = TypedModel.of(source.withConstantInitializers(), shapeInference);
    Logits answer = AnswerSearch.of(read, loss.forms());
    TypedModel normal =
        Pass.inTurn(
                Pass.of(model -> Logits.unmarked(answer.applyTo(model))),
                new InitializerUntying(),
                new TrainingNormalizer())
            .apply(read, trainable)
            .model();
    List<ValueInfo> inputs = normal.graph().requiredInputs();
    TypedModel forward = options.dropout().apply(normal, trainable).model();
    OnnxModel model = forward.model().withGraph(forward.graph().copy());
    Graph graph = model.graph();
    Set<String> undecayed = WeightDecay.exempt(source, graph, trainable);
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
    TensorType logitsType = Objects.requireNonNull(forward.types().get(logits), logits);
    if (precision != Precision.FP32 && logitsType.elementType() != ElementType.FLOAT) {
      throw new LoraGraphException(
          "precision %s needs a model that computes in FLOAT: this one's logits are of type %s"
              .formatted(precision, logitsType.elementType()));
    }
    ValueInfo labels = loss.labels(logitsType);
    graph.addInput(labels);
    String lossValue =
        named(graph, loss.emit(new GraphBuilder(graph, "/loss"), logits, logitsType));
    graph.clearOutputs();
    graph.addOutput(ValueInfo.of(lossValue, TensorType.of(logitsType.elementType())));
    graph.addOutput(ValueInfo.of(logits, logitsType));

    TypedModel withLoss = forward.with(model).completed();
    ValueTypes types = withLoss.types();
    String scale = scale(graph, precision, options.accumulates(), logitsType.elementType());
    BasePrecision base = options.base();
    Set<String> inEightBits = base == BasePrecision.INT8_FORWARD ? names(graph) : Set.of();
    Autodiff autodiff = new Autodiff(options.kernels(), LoraMetadata.detachedIn(source));
    List<List<String>> keepable =
        options.recomputed() > 0 ? KeptValues.of(graph, inputs, types, lossValue) : List.of();
    Set<String> wanted = new LinkedHashSet<>(trainable);
    if (!keepable.isEmpty()) {
      Set<String> learning = AnswerSearch.above(graph, trainable);
      keepable.forEach(values -> values.stream().filter(learning::contains).forEach(wanted::add));
    }
    Map<String, String> all = autodiff.gradients(graph, types, lossValue, wanted, scale);
    Map<String, String> gradients = new LinkedHashMap<>(all);
    gradients.keySet().retainAll(trainable);
    Set<String> named = new LinkedHashSet<>(all.values());
    keepable.forEach(named::addAll);
    Set<String> unreached = new LinkedHashSet<>(trainable);
    unreached.removeAll(gradients.keySet());
    Unreached without = Unreached.of(autodiff.cut(graph, types, lossValue, unreached), unreached);
    without.refuseIfAll(trainable);
    undecayed.removeAll(unreached);
    for (String value : unreached) {
      graph.putInitializer(parameters.remove(value));
      graph.removeInput(value);
    }
    if (options.kernels() != Kernels.STANDARD) {
      FactorInGemm.in(graph, named);
    }
    if (base != BasePrecision.FP32) {
      QuantizedBase.in(
          graph, node -> base == BasePrecision.INT8 || inEightBits.contains(node.name()));
    }
    if (options.kernels() != Kernels.STANDARD && precision == Precision.FP32) {
      AttentionBlocks.in(graph, withLoss.with(model).types(), named);
    }
    if (precision != Precision.FP32) {
      model =
          MixedPrecision.in(precision, named)
              .apply(withLoss.with(model).completed(), trainable)
              .model()
              .model();
    }
    int pieces = 0;
    // Of several encoders the pieces of the first come first.
    for (List<String> values : keepable) {
      pieces +=
          Recomputation.of(values, types, all)
              .in(
                  model.graph(),
                  List.of(lossValue, logits),
                  gradients.values(),
                  Math.max(0, options.recomputed() - pieces));
    }
    if (options.recomputed() > 0 && pieces == 0) {
      throw new LoraGraphException(
          "nothing can be computed again: a step keeps hardly anything that lies between two values which all of it goes through",
          Remedy.KEEP_ALL.with());
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
        undecayed,
        options.kernels(),
        pieces);
  }

  /** The names of the nodes that there are. */
  private static Set<String> names(Graph graph) {
    return graph.nodes().stream().map(Node::name).collect(Collectors.toSet());
  }

  /** What the gradient of the loss is where the walk begins; null for 1. */
  private static @Nullable String scale(
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
    Node producer = graph.requireProducer(loss);
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
