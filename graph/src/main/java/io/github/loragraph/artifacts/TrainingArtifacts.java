package io.github.loragraph.artifacts;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.autodiff.Kernels;
import io.github.loragraph.autodiff.ShapeInference;
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
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.TrainingGraph;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What ONNX Runtime's training API loads: three models and a checkpoint with the trainable
 * parameters. Frozen weights stay initializers of the models. Gradients are accumulated in place
 * until {@code lazy_reset_grad} says to begin anew.
 *
 * @param training inputs: the batch, {@code labels}, the parameters, a buffer for each gradient and
 *     {@code lazy_reset_grad}; outputs: the loss, the logits, and a flag for each gradient
 * @param evaluation inputs: the batch, {@code labels} and the parameters in the same order;
 *     outputs: the loss and the logits
 * @param loss names the loss in both
 * @param logits names the logits in both
 * @param unreached trainable values that the loss does not depend on: they are not trained
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
    List<String> unreached) {
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
  private static final String RESET = "lazy_reset_grad";

  /**
   * Builds the artifacts of a model, which is left as it is.
   *
   * @param trainable names of the values of floating-point parameters
   * @param accumulation gradients are divided by so many batches, which are then added up
   * @throws LoraGraphException as {@link TrainingGraph#build} does, or if a name ends in {@code
   *     _grad}, which the training API takes for a gradient
   */
  public static TrainingArtifacts of(
      OnnxModel model,
      Set<String> trainable,
      Loss loss,
      LoraDropout dropout,
      OptimizerModel optimizer,
      int accumulation,
      ShapeInference shapes) {
    return of(model, trainable, loss, dropout, optimizer, accumulation, Kernels.STANDARD, shapes);
  }

  /**
   * Builds the artifacts of a model for a known build of the training API.
   *
   * @param kernels what the gradients may be written with; STANDARD for files, whose reader is not
   *     known
   * @throws LoraGraphException as the other does
   */
  public static TrainingArtifacts of(
      OnnxModel model,
      Set<String> trainable,
      Loss loss,
      LoraDropout dropout,
      OptimizerModel optimizer,
      int accumulation,
      Kernels kernels,
      ShapeInference shapes) {
    TrainingGraph graph = TrainingGraph.build(model, trainable, loss, dropout, kernels, shapes);
    TrainingGraph plain =
        dropout.isOn()
            ? TrainingGraph.build(model, graph.gradients().keySet(), loss, shapes)
            : graph;
    List<Tensor> parameters = List.copyOf(graph.initialValues().values());
    return new TrainingArtifacts(
        training(graph, dropout.isOn(), accumulation),
        evaluation(plain),
        optimizer.model(parameters.size()),
        Checkpoint.ofParameters(parameters),
        graph.inputs(),
        graph.labels(),
        graph.loss(),
        graph.logits(),
        graph.unreached());
  }

  private static OnnxModel training(TrainingGraph source, boolean dropout, int accumulation) {
    Graph graph = source.model().graph().copy();
    refuseReservedNames(graph);
    List<ValueInfo> inputs = new ArrayList<>(userInputs(source));
    if (dropout) {
      inputs.add(ValueInfo.of(LoraDropout.SEED, TensorType.of(ElementType.INT64)));
    }
    GraphBuilder b = new GraphBuilder(graph, "/accumulation");
    List<ValueInfo> buffers = new ArrayList<>();
    List<String> flags = new ArrayList<>();
    source
        .gradients()
        .forEach(
            (parameter, gradient) -> {
              TensorType type = source.initialValues().get(parameter).type();
              inputs.add(ValueInfo.of(parameter, type));
              buffers.add(ValueInfo.of(parameter + BUFFER, type));
              String mean =
                  accumulation == 1
                      ? b.op("Identity", gradient)
                      : b.mul(gradient, b.scalar(ElementType.FLOAT, 1.0 / accumulation));
              Node last = graph.producer(mean);
              graph.replace(last, last.withOutput(0, parameter + GRADIENT));
              graph.add(
                  Node.of(
                          "/accumulation/" + parameter,
                          "InPlaceAccumulatorV2",
                          List.of(parameter + BUFFER, parameter + GRADIENT, RESET),
                          List.of(parameter + DONE))
                      .withDomain(DOMAIN));
              flags.add(parameter + DONE);
            });
    inputs.addAll(buffers);
    inputs.add(ValueInfo.of(RESET, TensorType.of(ElementType.BOOL, 1)));
    setInputs(graph, inputs);
    flags.forEach(flag -> graph.addOutput(ValueInfo.of(flag, TensorType.of(ElementType.BOOL, 1))));
    return source.model().withGraph(graph).withOpset(DOMAIN, 1);
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
