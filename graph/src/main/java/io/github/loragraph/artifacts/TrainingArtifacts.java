package io.github.loragraph.artifacts;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ops.Kernels;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.training.GraphOptions;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.Precision;
import io.github.loragraph.training.TrainingGraph;
import io.github.loragraph.training.Unreached;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * What ONNX Runtime's training API loads: three models and a checkpoint with the trainable
 * parameters. Frozen weights stay initializers of the models. Gradients are accumulated in place
 * until {@code lazy_reset_grad} says to begin anew.
 *
 * @param training inputs: the batch, {@code labels}, what an engine says of the batch, the
 *     parameters, a buffer for each gradient and {@code lazy_reset_grad}; outputs: the loss, the
 *     logits, and a flag for each gradient
 * @param evaluation inputs: the batch, {@code labels} and the parameters in the same order;
 *     outputs: the loss and the logits
 * @param loss names the loss in both
 * @param logits names the logits in both
 * @param unreached trainable values that get no gradient: they are not trained
 * @param pieces as {@link TrainingGraph#pieces} says
 */
public record TrainingArtifacts(
    OnnxModel training,
    OnnxModel evaluation,
    OnnxModel optimizer,
    Checkpoint checkpoint,
    List<ValueInfo> inputs,
    ValueInfo labels,
    String loss,
    String logits,
    Unreached unreached,
    int pieces) {
  /** The names of the files, as ONNX Runtime's own generator gave them. */
  public static final String TRAINING = "training_model.onnx";

  public static final String EVALUATION = "eval_model.onnx";
  public static final String OPTIMIZER = "optimizer_model.onnx";
  public static final String CHECKPOINT = "checkpoint";
  public static final String NOMINAL_CHECKPOINT = "nominal_checkpoint";

  /** Where the weights of both models stand if they are not inside. */
  public static final String WEIGHTS = "weights.data";

  /** ONNX Runtime's own operators. */
  static final String DOMAIN = Kernels.DOMAIN;

  static final int IR_VERSION = 9;
  static final int OPTIMIZER_OPSET = GraphBuilder.OPSET;

  private static final String GRADIENT = "_grad";
  private static final String BUFFER = "_grad.accumulation.buffer";
  private static final String DONE = "_grad.accumulation.out";
  private static final String DECAYED = ".decayed";
  private static final String RESET = "lazy_reset_grad";

  /**
   * FLOAT scalar input, there only if some parameters decay and others do not: the learning rate at
   * the last batch of a step, 0 at the others.
   */
  public static final String DECAY_RATE = "decay_rate";

  /**
   * Builds the artifacts of a model as files for any program: the model is left as it is. Batches
   * of a step count as much as each other only if the program sees to it, and weight decay is on
   * all parameters, since the training API hands its optimizer one group of them.
   *
   * @param trainable names of the values of floating-point parameters
   * @throws LoraGraphException as {@link TrainingGraph#build} does, or if a name ends in {@code
   *     _grad}, which the training API takes for a gradient
   */
  public static TrainingArtifacts of(
      OnnxModel model,
      Set<String> trainable,
      Loss loss,
      OptimizerModel optimizer,
      ShapeInference shapes) {
    TrainingGraph graph = TrainingGraph.build(model, trainable, loss, shapes);
    return of(graph, graph, optimizer, Set.of());
  }

  /**
   * Builds the artifacts of a model for an engine that says more of each batch than its inputs:
   * {@link LoraDropout#SEED} with dropout, {@link TrainingGraph#SHARE} where several batches make
   * up a step, and {@link #DECAY_RATE} where some parameters decay and others do not.
   *
   * @param options in FLOAT: the training API has no other precision
   * @throws LoraGraphException as the other does
   */
  public static TrainingArtifacts forEngine(
      OnnxModel model,
      Set<String> trainable,
      Loss loss,
      OptimizerModel optimizer,
      GraphOptions options,
      ShapeInference shapes) {
    TrainingGraph graph =
        TrainingGraph.build(model, trainable, loss, options.withPrecision(Precision.FP32), shapes);
    TrainingGraph plain =
        options.dropout().isOn()
            ? TrainingGraph.build(model, graph.gradients().keySet(), loss, shapes)
            : graph;
    Set<String> exempt =
        optimizer.adamW().map(adamW -> adamW.exempt(graph)).orElse(graph.gradients().keySet());
    boolean oneGroup = exempt.isEmpty() || exempt.containsAll(graph.gradients().keySet());
    return of(graph, plain, optimizer, oneGroup ? Set.of() : exempt);
  }

  /**
   * @param exempt what does not decay where the rest does; empty where all or none do
   */
  private static TrainingArtifacts of(
      TrainingGraph graph, TrainingGraph plain, OptimizerModel optimizer, Set<String> exempt) {
    List<Tensor> parameters = List.copyOf(graph.initialValues().values());
    OnnxModel training =
        exempt.isEmpty()
            ? training(graph, Set.of(), 0)
            : training(graph, exempt, optimizer.adamW().orElseThrow().weightDecay());
    return new TrainingArtifacts(
        training,
        evaluation(plain),
        (exempt.isEmpty() ? optimizer : optimizer.withoutDecay()).model(parameters.size()),
        Checkpoint.ofParameters(parameters),
        graph.inputs(),
        graph.labels(),
        graph.loss(),
        graph.logits(),
        graph.unreached(),
        graph.pieces());
  }

  /**
   * @param exempt what does not decay where the rest does; empty where the optimizer sees to it
   */
  private static OnnxModel training(TrainingGraph source, Set<String> exempt, double weightDecay) {
    Graph graph = source.model().graph().copy();
    refuseReservedNames(graph);
    List<ValueInfo> inputs = new ArrayList<>(userInputs(source));
    for (String number : List.of(LoraDropout.SEED, TrainingGraph.SHARE)) {
      graph.inputs().stream().filter(i -> i.name().equals(number)).forEach(inputs::add);
    }
    GraphBuilder b = new GraphBuilder(graph, "/accumulation");
    List<ValueInfo> buffers = new ArrayList<>();
    List<String> flags = new ArrayList<>();
    if (!exempt.isEmpty()) {
      inputs.add(ValueInfo.of(DECAY_RATE, TensorType.of(ElementType.FLOAT)));
    }
    source
        .gradients()
        .forEach(
            (parameter, gradient) -> {
              TensorType type =
                  Objects.requireNonNull(source.initialValues().get(parameter)).type();
              inputs.add(ValueInfo.of(parameter, type));
              buffers.add(ValueInfo.of(parameter + BUFFER, type));
              Node last = graph.requireProducer(b.op("Identity", gradient));
              graph.replace(last, last.withOutput(0, parameter + GRADIENT));
              flags.add(
                  accumulate(
                      graph,
                      parameter,
                      parameter + BUFFER,
                      parameter + GRADIENT,
                      RESET,
                      parameter + DONE));
            });
    inputs.addAll(buffers);
    inputs.add(ValueInfo.of(RESET, TensorType.of(ElementType.BOOL, 1)));
    if (!exempt.isEmpty()) {
      List<String> decaying = new ArrayList<>(source.gradients().keySet());
      decaying.removeAll(exempt);
      flags.addAll(decay(b, source.loss(), decaying, weightDecay, List.copyOf(flags)));
    }
    setInputs(graph, inputs);
    flags.forEach(flag -> graph.addOutput(ValueInfo.of(flag, TensorType.of(ElementType.BOOL, 1))));
    return source.model().withGraph(graph).withOpset(DOMAIN, 1);
  }

  /**
   * Lets parameters decay in place: p - rate weightDecay p, as AdamW has it before its own update.
   * Each reads p after everything else has: the factor waits for all gradients and the loss, which
   * is what everything that reads a parameter leads to.
   *
   * @return a flag of each
   */
  private static List<String> decay(
      GraphBuilder b,
      String loss,
      List<String> decaying,
      double weightDecay,
      List<String> gradients) {
    b.setScope("/decay");
    String known = b.op("Not", b.op("IsNaN", b.unsqueeze(b.cast(loss, ElementType.FLOAT), 0)));
    List<String> all = new ArrayList<>(gradients);
    all.add(known);
    List<String> numbers = all.stream().map(flag -> b.cast(flag, ElementType.INT32)).toList();
    String ready =
        b.cast(
            b.reduce("ReduceMin", b.concat(0, numbers.toArray(String[]::new)), b.longs(0), false),
            ElementType.BOOL);
    String rate = b.where(ready, DECAY_RATE, b.scalar(ElementType.FLOAT, 0));
    String never = b.initializer(Tensor.ofBooleans("/decay/never", new boolean[] {false}, 1));
    String factor = b.mul(rate, b.scalar(ElementType.FLOAT, -weightDecay));
    List<String> flags = new ArrayList<>();
    for (String parameter : decaying) {
      b.setScope("/decay/" + parameter);
      String decay = b.mul(parameter, factor);
      flags.add(
          accumulate(
              b.graph(), "decay/" + parameter, parameter, decay, never, parameter + DECAYED));
    }
    return flags;
  }

  /** Adds a value to another in place, or overwrites that. */
  private static String accumulate(
      Graph graph, String name, String buffer, String value, String overwrites, String done) {
    graph.add(
        Node.of(
                "/accumulation/" + name,
                "InPlaceAccumulatorV2",
                List.of(buffer, value, overwrites),
                List.of(done))
            .withDomain(DOMAIN));
    return done;
  }

  /** The forward part with loss and logits. */
  private static OnnxModel evaluation(TrainingGraph source) {
    Graph graph = source.model().graph().copy();
    graph.removeDeadNodes();
    List<ValueInfo> inputs = new ArrayList<>(userInputs(source));
    source.initialValues().forEach((name, tensor) -> inputs.add(ValueInfo.of(name, tensor.type())));
    setInputs(graph, inputs);
    return source.model().withGraph(graph);
  }

  private static List<ValueInfo> userInputs(TrainingGraph source) {
    List<ValueInfo> inputs = new ArrayList<>(source.inputs());
    inputs.add(source.labels());
    return inputs;
  }

  private static void setInputs(Graph graph, List<ValueInfo> inputs) {
    List.copyOf(graph.inputs()).forEach(input -> graph.removeInput(input.name()));
    inputs.forEach(graph::addInput);
  }

  private static void refuseReservedNames(Graph graph) {
    for (ValueInfo input : graph.inputs()) {
      if (input.name().endsWith(GRADIENT)) {
        throw new LoraGraphException(
            "'%s' ends in '%s', which the training API takes for a gradient: rename it"
                .formatted(input.name(), GRADIENT));
      }
    }
  }

  /**
   * Writes the files into a folder, all of them or none.
   *
   * @param external whether the weights of both models go into one file, {@link #WEIGHTS}, instead
   *     of into each; they do in any case where a model would be too large for one file
   * @param nominal whether {@link #NOMINAL_CHECKPOINT} is written, too: names without values
   * @return the names of the files, in the order in which they were written
   * @throws LoraGraphException if a file exists and may not be replaced, or cannot be written
   */
  public List<String> write(Path folder, boolean external, boolean nominal, boolean replace) {
    try (StagedFiles files = new StagedFiles(folder, replace)) {
      List<String> written = stage(folder, external, nominal, files);
      files.commit();
      return written;
    }
  }

  /**
   * Puts the files among others that appear together with them. Where {@link #WEIGHTS} is there
   * already, the weights get a name of that kind that nothing else has.
   *
   * @return as {@link #write} does
   * @throws LoraGraphException as {@link #write} does
   */
  public List<String> stage(Path folder, boolean external, boolean nominal, StagedFiles files) {
    Map<Path, OnnxModel> models = new LinkedHashMap<>();
    models.put(folder.resolve(TRAINING), training);
    models.put(folder.resolve(EVALUATION), evaluation);
    List<String> written = new ArrayList<>(List.of(TRAINING, EVALUATION));
    if (external || models.values().stream().anyMatch(OnnxFile::isTooLargeForOneFile)) {
      Path weights = OnnxFile.stageSharingData(models, folder.resolve(WEIGHTS), files);
      written.add(weights.getFileName().toString());
    } else {
      models.forEach((file, model) -> OnnxFile.stage(model, file, files));
    }
    OnnxFile.stage(optimizer, folder.resolve(OPTIMIZER), files);
    written.add(OPTIMIZER);
    CheckpointFile.stage(checkpoint, folder.resolve(CHECKPOINT), files);
    written.add(CHECKPOINT);
    if (nominal) {
      CheckpointFile.stage(checkpoint.toNominal(), folder.resolve(NOMINAL_CHECKPOINT), files);
      written.add(NOMINAL_CHECKPOINT);
    }
    return written;
  }
}
