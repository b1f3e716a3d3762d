package io.github.loragraph.engine;

import io.github.loragraph.data.HostTensor;
import java.util.List;

/**
 * What an engine is given for one batch.
 *
 * @param batch the model's inputs and the labels
 * @param learningRate of the step that the batch belongs to
 * @param update whether this is the last batch of its step
 */
public record StepInput(List<HostTensor> batch, double learningRate, boolean update) {}
