package io.github.loragraph.engine;

import io.github.loragraph.data.HostTensor;
import java.util.List;

/**
 * What an engine is given for one batch.
 *
 * @param batch the model's inputs and the labels
 * @param learningRate of the step that the batch belongs to
 * @param share how much of the step's loss is the batch's: those of a step add up to 1, or are all
 *     0 where no label of it counts. Not read by engines whose steps have one batch
 * @param update whether this is the last batch of its step
 */
public record StepInput(List<HostTensor> batch, double learningRate, double share, boolean update) {
  /** A batch that is a whole step. */
  public StepInput(List<HostTensor> batch, double learningRate) {
    this(batch, learningRate, 1, true);
  }
}
