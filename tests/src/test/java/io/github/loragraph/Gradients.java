package io.github.loragraph;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.check.OrtRun;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionShapeInference;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.GraphOptions;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Loss;
import io.github.loragraph.training.TrainingGraph;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The loss of one batch and its gradients, by the training graph.
 *
 * @param byValue the gradient of each trainable value
 */
record Gradients(double loss, Map<String, float[]> byValue) {
  private static final Sessions SESSIONS = new Sessions(OrtRuntime.ofThisProcess(), 2);

  static Gradients of(OnnxModel model, Set<String> trainable, Loss loss, List<HostTensor> batch) {
    return of(model, trainable, loss, LoraDropout.NONE, batch);
  }

  /**
   * @param batch inputs and labels, and the seed where there is dropout
   */
  static Gradients of(
      OnnxModel model,
      Set<String> trainable,
      Loss loss,
      LoraDropout dropout,
      List<HostTensor> batch) {
    return ofEach(model, trainable, loss, dropout, List.of(batch)).get(0);
  }

  /** The same for several batches, by one training graph. */
  static List<Gradients> ofEach(
      OnnxModel model, Set<String> trainable, Loss loss, List<List<HostTensor>> batches) {
    return ofEach(model, trainable, loss, LoraDropout.NONE, batches);
  }

  private static List<Gradients> ofEach(
      OnnxModel model,
      Set<String> trainable,
      Loss loss,
      LoraDropout dropout,
      List<List<HostTensor>> batches) {
    TrainingGraph training =
        TrainingGraph.build(
            model,
            trainable,
            loss,
            GraphOptions.PLAIN.withDropout(dropout),
            new SessionShapeInference(OrtRuntime.ofThisProcess()));
    Graph graph = training.model().graph();
    training
        .gradients()
        .forEach(
            (value, gradient) -> {
              if (!graph.isOutput(gradient)) {
                graph.addOutput(ValueInfo.of(gradient, new TensorType(ElementType.FLOAT, null)));
              }
              graph.removeInput(value);
              graph.putInitializer(training.initialValues().get(value));
            });
    return OrtRun.runEach(training.model(), batches, SESSIONS).stream()
        .map(outputs -> of(training, outputs))
        .toList();
  }

  private static Gradients of(TrainingGraph training, Map<String, float[]> outputs) {
    Map<String, float[]> byValue = new LinkedHashMap<>();
    training.gradients().forEach((value, gradient) -> byValue.put(value, outputs.get(gradient)));
    return new Gradients(outputs.get(training.loss())[0], byValue);
  }

  /**
   * The losses of plain gradient descent on one batch, before each step.
   *
   * @param start what is trained
   */
  static double[] descent(
      OnnxModel model, List<Tensor> start, List<HostTensor> batch, double rate, int steps) {
    double[] losses = new double[steps];
    List<Tensor> parameters = start;
    for (int step = 0; step < steps; step++) {
      OnnxModel current = Checkpoint.ofParameters(parameters).putInto(model);
      Set<String> names = parameters.stream().map(Tensor::name).collect(Collectors.toSet());
      Gradients gradients = of(current, names, CrossEntropyLoss.plain(), batch);
      losses[step] = gradients.loss();
      parameters =
          parameters.stream().map(p -> moved(p, gradients.byValue().get(p.name()), rate)).toList();
    }
    return losses;
  }

  private static Tensor moved(Tensor parameter, float[] gradient, double rate) {
    float[] values = parameter.toFloats();
    for (int i = 0; i < values.length; i++) {
      values[i] -= (float) (rate * gradient[i]);
    }
    return Tensor.ofFloats(parameter.name(), values, parameter.dims());
  }

  static HostTensor longs(String name, long[] values, long... shape) {
    ByteBuffer data = ByteBuffer.allocateDirect(values.length * 8).order(ByteOrder.nativeOrder());
    for (long value : values) {
      data.putLong(value);
    }
    return new HostTensor(name, ElementType.INT64, shape, data.flip());
  }

  static HostTensor floats(String name, float[] values, long... shape) {
    ByteBuffer data = ByteBuffer.allocateDirect(values.length * 4).order(ByteOrder.nativeOrder());
    for (float value : values) {
      data.putFloat(value);
    }
    return new HostTensor(name, ElementType.FLOAT, shape, data.flip());
  }
}
