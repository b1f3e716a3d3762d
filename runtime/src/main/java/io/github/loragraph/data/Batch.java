package io.github.loragraph.data;

import java.util.ArrayList;
import java.util.List;

/**
 * Examples padded to one length.
 *
 * @param inputs the model's inputs; the first axis counts the examples
 * @param labels null where the examples have none
 * @param examples the number of examples
 */
public record Batch(List<HostTensor> inputs, HostTensor labels, int examples) {
  /** Inputs and labels. */
  public List<HostTensor> withLabels() {
    List<HostTensor> all = new ArrayList<>(inputs);
    all.add(labels);
    return all;
  }
}
