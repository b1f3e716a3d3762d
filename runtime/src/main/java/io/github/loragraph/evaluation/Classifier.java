package io.github.loragraph.evaluation;

import io.github.loragraph.data.HostTensor;
import java.util.List;

/** Anything that answers a batch with logits. */
@FunctionalInterface
public interface Classifier {
  /**
   * The logits of a batch, one row for each example; of all its tokens, one after the other, where
   * each token is answered.
   *
   * @param batch the model's inputs
   */
  float[][] logits(List<HostTensor> batch);
}
