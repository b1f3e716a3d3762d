package io.github.loragraph.data;

/**
 * What an example is in one pass over the data: the same in each, unless something of it is drawn
 * anew. A run that was stopped goes on to the same bytes only where the answer follows from the
 * arguments alone.
 */
@FunctionalInterface
public interface EpochView {
  /** Each example as it is. */
  EpochView SAME = (epoch, index, example) -> example;

  /**
   * The example in a pass.
   *
   * @param epoch 0 for the first
   * @param index of the example in the data, from 0, whatever its place in the pass is
   * @param example as it was encoded
   * @return an example of the same length
   */
  Example at(long epoch, int index, Example example);
}
