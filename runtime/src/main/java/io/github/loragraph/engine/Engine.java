package io.github.loragraph.engine;

import io.github.loragraph.artifacts.Checkpoint;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.evaluation.Classifier;
import io.github.loragraph.onnx.Tensor;
import java.util.List;
import java.util.Map;

/**
 * What runs the training steps: holds the trainable parameters and the optimizer's state between
 * them. Not safe for use by several threads. Who opens one closes it.
 */
public interface Engine extends AutoCloseable {
  /** The name by which it is chosen: {@code graph} or {@code training-api}. */
  String name();

  /** The most batches that {@link #steps} takes; with more than one a call costs less for each. */
  default int batchesPerCall() {
    return 1;
  }

  /**
   * For each batch forward and backward, and after the last of a step an update of the parameters
   * by the gradients of all its batches, each by its share.
   *
   * @param inputs 1 to {@link #batchesPerCall}
   * @return what each of them told
   */
  List<StepResult> steps(List<StepInput> inputs);

  /** A call of one batch, which is a step. */
  default StepResult step(List<HostTensor> batch, double learningRate) {
    return steps(List.of(new StepInput(batch, learningRate))).get(0);
  }

  /** Forgets the gradients of a step that was begun and not ended, as if it never was. */
  void forget();

  /** Answers with the current parameters. */
  Classifier classifier();

  /** The number of steps, those skipped included. */
  long steps();

  /** The number of steps that changed nothing, because a gradient was not finite. */
  default long skippedSteps() {
    return 0;
  }

  /** What the loss is multiplied by in the next step; NaN without loss scaling. */
  default double lossScale() {
    return Double.NaN;
  }

  /** The current values of the trainable parameters by name, copied. */
  Map<String, Tensor> parameters();

  /** Parameters, moments and the number of steps, copied: what a later engine goes on from. */
  Checkpoint checkpoint();

  @Override
  void close();
}
