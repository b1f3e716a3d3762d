package io.github.loragraph.engine;

import io.github.loragraph.data.HostTensor;
import io.github.loragraph.evaluation.Classifier;
import io.github.loragraph.onnx.Tensor;
import java.util.List;
import java.util.Map;

/**
 * What runs the training steps: holds the trainable parameters and the optimizer's state between
 * them. Not safe for use by several threads.
 */
public interface Engine extends AutoCloseable {
  /** The name on the command line: {@code graph} or {@code training-api}. */
  String name();

  /**
   * One step: forward, backward and update.
   *
   * @param batch the model's inputs and the labels
   */
  StepResult step(List<HostTensor> batch, double learningRate);

  /** Answers with the current parameters. */
  Classifier classifier();

  /** The number of steps made. */
  long steps();

  /** The current values of the trainable parameters by name, copied. */
  Map<String, Tensor> parameters();

  @Override
  void close();
}
