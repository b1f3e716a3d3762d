package io.github.loragraph;

import io.github.loragraph.ort.ActiveAdapter;

/**
 * An adapter in memory.
 *
 * @param predictor answers with it
 * @param active its values, in ONNX Runtime's memory
 */
record ServedAdapter(Predictor predictor, ActiveAdapter active) implements AutoCloseable {
  long bytes() {
    return active.bytes();
  }

  /** The predictor has nothing of its own to close. */
  @Override
  public void close() {
    active.close();
  }
}
