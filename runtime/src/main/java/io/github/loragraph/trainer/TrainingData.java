package io.github.loragraph.trainer;

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
 */
public record TrainingData(Task task, List<Example> training, List<Example> heldOut, long padId) {}
