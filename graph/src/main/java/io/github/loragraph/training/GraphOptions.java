package io.github.loragraph.training;

import io.github.loragraph.ops.Kernels;

/**
 * What may be chosen of a training graph besides its loss: a value, of which each {@code with}
 * makes another.
 *
 * @param dropout on what enters the adapters
 * @param precision of the matrix products
 * @param kernels what the gradients may be written with
 * @param accumulates whether several batches make up a step
 * @param base in what frozen layers compute
 * @param recomputed how many pieces of the layers, from the first, are computed a second time for
 *     the way back, so that what is in them need not be kept; 0 for none
 */
public record GraphOptions(
    LoraDropout dropout,
    Precision precision,
    Kernels kernels,
    boolean accumulates,
    BasePrecision base,
    int recomputed) {
  /** No dropout, FLOAT, standard operators, one batch a step. */
  public static final GraphOptions PLAIN =
      new GraphOptions(
          LoraDropout.NONE, Precision.FP32, Kernels.STANDARD, false, BasePrecision.FP32, 0);

  public GraphOptions withDropout(LoraDropout other) {
    return new GraphOptions(other, precision, kernels, accumulates, base, recomputed);
  }

  public GraphOptions withPrecision(Precision other) {
    return new GraphOptions(dropout, other, kernels, accumulates, base, recomputed);
  }

  public GraphOptions withKernels(Kernels other) {
    return new GraphOptions(dropout, precision, other, accumulates, base, recomputed);
  }

  /** With more than one batch a step, or with one. */
  public GraphOptions accumulating(boolean several) {
    return new GraphOptions(dropout, precision, kernels, several, base, recomputed);
  }

  public GraphOptions withBase(BasePrecision other) {
    return new GraphOptions(dropout, precision, kernels, accumulates, other, recomputed);
  }

  /** With so many pieces of the layers computed a second time. */
  public GraphOptions recomputing(int pieces) {
    return new GraphOptions(dropout, precision, kernels, accumulates, base, pieces);
  }
}
