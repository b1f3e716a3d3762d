package io.github.loragraph.engine;

import io.github.loragraph.data.HostTensor;
import java.util.List;

/**
 * What an engine is given for one batch, or a piece of one.
 *
 * @param batch the model's inputs and the labels
 * @param learningRate of the step that the batch belongs to
 * @param share how much of the step's loss it is: those of a step add up to 1, or are all 0 where
 *     no label of it counts. Not read by engines whose steps have one batch
 * @param piece which one of its batch, from 0
 * @param update whether this is the last of its step
 */
public record StepInput(
    List<HostTensor> batch, double learningRate, double share, int piece, boolean update) {
  /** A batch in one piece. */
  public StepInput(List<HostTensor> batch, double learningRate, double share, boolean update) {
    this(batch, learningRate, share, 0, update);
  }

  /** A batch that is a whole step. */
  public StepInput(List<HostTensor> batch, double learningRate) {
    this(batch, learningRate, 1, true);
  }
}
