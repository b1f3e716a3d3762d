package io.github.loragraph.evaluation;

import io.github.loragraph.task.Report;

/** How well a model does, on data that the measurement has. */
@FunctionalInterface
public interface Measurement {
  /**
   * Measures.
   *
   * @param classifier answers with the model's parameters of this moment
   */
  Report of(Classifier classifier);
}
