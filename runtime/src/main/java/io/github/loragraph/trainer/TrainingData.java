package io.github.loragraph.trainer;

import io.github.loragraph.data.EpochView;
import io.github.loragraph.data.Example;
import io.github.loragraph.task.Task;
import java.util.List;

/**
 * What a model is trained on.
 *
 * @param task what the labels are
 * @param training examples with targets
 * @param heldOut examples to measure with; empty for none
 * @param padId fills up {@code input_ids}
 * @param view what the training examples are in each epoch
 * @param names of the logits, by which tags of words are told; none where nobody knows them
 */
public record TrainingData(
    Task task,
    List<Example> training,
    List<Example> heldOut,
    long padId,
    EpochView view,
    List<String> names) {
  /** Examples that are the same in each epoch, to logits whose names are not known. */
  public TrainingData(Task task, List<Example> training, List<Example> heldOut, long padId) {
    this(task, training, heldOut, padId, EpochView.SAME, List.of());
  }

  /** The same with other examples to train on. */
  TrainingData withTraining(List<Example> examples) {
    return new TrainingData(task, examples, heldOut, padId, view, names);
  }
}
